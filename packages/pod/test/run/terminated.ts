// Pods whose end is reported, and what tests look for in the report.

import { freePort } from '@outrigger/core/testing';
import { expect } from 'vitest';
import type { Report } from '../../src/run/rehearsal/report.ts';
import { type RunningCommand, runPod } from '../outrigger.ts';
import type { TestContainer, TestPod } from '../write-pod.ts';

/** Ready when it listens to signals: what the shell command in `onTerm` does on SIGTERM. */
export const listening = (name: string, onTerm: string, more: Partial<TestContainer> = {}): TestContainer => ({
  name,
  local: `trap '${onTerm}' TERM; touch up-${name}; while :; do sleep 0.05; done`,
  readinessProbe: { exec: { command: ['test', '-e', `up-${name}`] }, timeoutSeconds: 5 },
  ...more,
});
export const polite = (name: string, more: Partial<TestContainer> = {}) => listening(name, 'exit 0', more);
export const sidecar = (each: TestContainer): TestContainer => ({ ...each, restartPolicy: 'Always' });

/** Of the toolkit, on a port of its own. */
export const toolkit = async (role: string, args: readonly string[]): Promise<TestContainer> => {
  const address = `127.0.0.1:${await freePort()}`;
  const port = Number(address.split(':')[1]);
  return {
    name: role,
    image: `outrigger/${role}`,
    restartPolicy: 'Always',
    args: [`--admin-address=${address}`, ...args],
    startupProbe: { httpGet: { path: '/startupz', port }, periodSeconds: 1, failureThreshold: 60, timeoutSeconds: 5 },
  };
};

export async function terminated(pod: TestPod, ...args: string[]): Promise<{ code: number | null; report: Report }> {
  await using run = await runPod(pod, { args: ['--terminate=0', '--json', ...args] });
  const { code } = await run.exited;
  return { code, report: reportOf(run) };
}

export function reportOf({ stdout, stderr }: RunningCommand): Report {
  expect(stdout, stderr).not.toBe('');
  return JSON.parse(stdout);
}

export const endOf = ({ containers }: Report, name: string) => containers.find((each) => each.name === name)!;
export const eventsOf = ({ timeLine }: Report, name: string) =>
  timeLine.flatMap(({ container, event }) => (container === name ? [event] : []));
