// `run --terminate --traffic`: what becomes of requests while the Pod ends.

import { freePort } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import type { PhaseRow } from '../../src/run/rehearsal/load.ts';
import type { Report } from '../../src/run/rehearsal/report.ts';
import { runPod } from '../outrigger.ts';

/** An application of one file: each answer takes so long, and `end` is what it does on SIGTERM. */
const application = ({ port, milliseconds, end }: { port: number; milliseconds: number; end: string }) => ({
  name: 'app',
  local: `exec node -e "
    const server = require('node:http').createServer((_, response) => setTimeout(() => response.end('hello'), ${milliseconds}));
    process.on('SIGTERM', () => { ${end} });
    server.listen(${port}, '127.0.0.1');
  "`,
  readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
});

async function ended(end: string, milliseconds: number): Promise<{ code: number | null; report: Report }> {
  const port = await freePort();
  await using run = await runPod(
    { apps: [application({ port, milliseconds, end })] },
    { args: ['--terminate=1s', '--json', '--traffic', `http://127.0.0.1:${port}/`] },
  );
  const { code } = await run.exited;
  return { code, report: JSON.parse(run.stdout) };
}

const sum = ({ traffic }: Report, column: 'sent' | 'answered' | 'refused' | 'failed' | 'lost') =>
  traffic!.phases.reduce((all, row: PhaseRow) => all + row[column], 0);

test('an application that finishes what it has accepted loses no request', async () => {
  const { code, report } = await ended('setTimeout(() => server.close(() => process.exit(0)), 300);', 200);
  expect(report.traffic!.phases.map(({ phase }) => phase)).toEqual([
    'serving',
    'preStop',
    'application ends',
    'sidecars end',
  ]);
  expect(sum(report, 'answered')).toBeGreaterThan(5);
  expect([sum(report, 'failed'), sum(report, 'lost'), report.lost]).toEqual([0, 0, []]);
  expect(sum(report, 'sent')).toBe(sum(report, 'answered') + sum(report, 'refused'));
  expect(code).toBe(0);
});

test('an application that exits at once breaks what it has accepted, and that is lost', async () => {
  const { code, report } = await ended('process.exit(0);', 300);
  expect(sum(report, 'lost')).toBeGreaterThan(0);
  expect(report.lost).toEqual([
    expect.objectContaining({ container: '--traffic', unit: 'requests', count: sum(report, 'lost') }),
  ]);
  expect(report.traffic!.phases.flatMap(({ reasons }) => Object.keys(reasons)).join()).toMatch(/lost: ECONNRESET/);
  expect([report.troubles, report.orderly, code]).toEqual([[], false, 1]);
});
