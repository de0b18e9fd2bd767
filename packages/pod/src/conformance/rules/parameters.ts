// Parameters: wrong ones are refused with everything one needs to know, new ones are taken while it runs.

import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { wait } from '@outrigger/core';
import { project } from '../../run/volume/project.ts';
import type { Bench } from '../bench.ts';
import { Broken, defineRule, demand, Skip } from '../rule.ts';
import type { Sidecar } from '../sidecar.ts';

/** sysexits.h: EX_USAGE. */
const usage = 64;

export const wrongAtOnce = defineRule({
  id: 'parameters/wrong-at-once',
  title: 'Wrong parameters are all named at once, with exit code 64',
  reason: 'Each round of trial costs a rollout; and exit code 64 tells a wrong manifest from a failure',
  section: 'parameters',
  severity: 'error',
  async check(bench) {
    const wrong = { OUTRIGGER_LOG_LEVEL: 'lound', OUTRIGGER_DRAIN_TIMEOUT: 'soon' };
    const sidecar = await bench.start({ env: wrong });
    await sidecar.endsWith([usage]);
    for (const [name, words] of [
      ['OUTRIGGER_LOG_LEVEL=lound', /log-?level/i],
      ['OUTRIGGER_DRAIN_TIMEOUT=soon', /drain-?timeout/i],
    ] as const)
      demand(words.test(sidecar.stderr.replaceAll('_', '-')), `a line on stderr about ${name}`, 'none');
  },
});

export const unknownFlag = defineRule({
  id: 'parameters/unknown-flag',
  title: 'An unknown flag is refused with exit code 64, and the nearest name is suggested',
  reason: 'A misspelt flag that is ignored is a parameter that silently has its default',
  section: 'parameters',
  severity: 'error',
  async check(bench) {
    const sidecar = await bench.start({ args: ['--drain-timeuot=3s'] });
    await sidecar.endsWith([usage]);
    demand(sidecar.stderr.includes('--drain-timeuot'), 'a line on stderr that names --drain-timeuot', 'none');
    demand(sidecar.stderr.includes('--drain-timeout'), 'the suggestion --drain-timeout', 'none');
  },
});

/** Milliseconds within which a change of a mounted file is in force. */
const reloaded = 10_000;

export const configSwap = defineRule({
  id: 'parameters/config-swap',
  title: 'A new ConfigMap behind --config is in force within 10 s',
  reason: 'The kubelet swaps the link ..data; who watches the file itself, or its inode, never hears of it',
  section: 'parameters',
  severity: 'error',
  async check(bench) {
    const { sidecar, swap } = await withConfig(bench, 'logLevel: info\n');
    demand((await logLevel(sidecar)) === 'info', '"logLevel": "info" at /v1/parameters', 'another value');
    await swap('logLevel: debug\n');
    let seen: unknown;
    await sidecar.until(
      async () => {
        seen = await logLevel(sidecar);
        return seen === 'debug';
      },
      ['"logLevel": "debug" at /v1/parameters after the swap', () => JSON.stringify(seen)],
      reloaded,
    );
  },
});

export const wrongConfigSwap = defineRule({
  id: 'parameters/wrong-config-swap',
  title: 'A wrong new ConfigMap is reported, and the old values stay',
  reason: 'A slip in a ConfigMap must not take down what runs, in all Pods at the same minute',
  section: 'parameters',
  severity: 'error',
  async check(bench) {
    const { sidecar, swap } = await withConfig(bench, 'logLevel: info\n');
    await swap('logLevel: lound\n');
    await sidecar.until(
      () => sidecar.stderr.includes('lound'),
      ['a line on stderr about the value', () => 'none'],
      reloaded,
    );
    demand((await logLevel(sidecar)) === 'info', 'the old value at /v1/parameters', 'another one');
    await sidecar.answers('/livez');
  },
});

async function withConfig(bench: Bench, content: string) {
  if (bench.subject.command.some((word) => /^--config(=|$)/.test(word)))
    throw new Skip('The command names a --config of its own, which wins over OUTRIGGER_CONFIG');
  const volume = join(bench.place.scratch, 'config');
  await mkdir(volume);
  const swap = (text: string) =>
    project(volume, new Map([['config.yaml', { content: Buffer.from(text), mode: 0o644 }]]));
  await swap(content);
  const sidecar = await bench.serve({ env: { OUTRIGGER_CONFIG: join(volume, 'config.yaml') } });
  return { sidecar, swap };
}

async function logLevel(sidecar: Sidecar): Promise<unknown> {
  const { text } = await sidecar.ask('/v1/parameters');
  try {
    return JSON.parse(text).logLevel?.value;
  } catch {
    throw new Broken('JSON at /v1/parameters', text.slice(0, 200));
  }
}

const oldToken = 'old-7f3a9c1e5b2d4860';
const newToken = 'new-e84d20c6a91b57f3';

export const secretRotation = defineRule({
  id: 'parameters/secret-rotation',
  title: 'A new token in --admin-token-file is accepted, and the old one refused, without a restart',
  reason: 'Secrets are rotated under running Pods; one that is read once keeps a stolen token valid',
  section: 'parameters',
  severity: 'error',
  async check(bench) {
    const { sidecar, file } = await withToken(bench);
    const post = async (token?: string) => {
      const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
      return (await sidecar.ask('/v1/prestop', { method: 'POST', headers })).status;
    };
    const none = await post();
    demand(none === 401, '401 for a change without the token', `${none}`);
    const right = await post(oldToken);
    demand(right < 300, 'the token to be accepted', `${right}`);
    await writeFile(`${file}_tmp`, newToken);
    await rename(`${file}_tmp`, file);
    let seen = 0;
    await sidecar.until(
      async () => {
        seen = await post(newToken);
        return seen < 300;
      },
      ['the new token to be accepted', () => `${seen}`],
      reloaded,
    );
    const stale = await post(oldToken);
    demand(stale === 401, '401 for the old token', `${stale}`);
  },
});

async function withToken(bench: Bench, env: Readonly<Record<string, string>> = {}) {
  const file = join(bench.place.scratch, 'token');
  await writeFile(file, oldToken);
  return { file, sidecar: await bench.serve({ env: { OUTRIGGER_ADMIN_TOKEN_FILE: file, ...env } }) };
}

export const secretShown = defineRule({
  id: 'parameters/secret-shown-nowhere',
  title: 'A secret is in no log line and no answer',
  reason: 'Logs and metrics are read by many more people than may know the secret',
  section: 'parameters',
  severity: 'error',
  async check(bench) {
    const { sidecar } = await withToken(bench, { OUTRIGGER_LOG_LEVEL: 'trace' });
    const authorization = `Bearer ${oldToken}`;
    const refuse = (where: string, text: string) => {
      if (text.includes(oldToken)) throw new Broken('a secret that is shown nowhere', `the admin token ${where}`);
    };
    for (const path of ['/v1', '/v1/parameters', '/v1/status', '/metrics', '/openapi.json', '/readyz?verbose'])
      refuse(`at ${path}`, (await sidecar.ask(path, { headers: { authorization } })).text);
    await sidecar.ask(`/v1/no-such-thing`, { method: 'POST', headers: { authorization } });
    sidecar.signal('SIGHUP');
    await Promise.race([wait(300), sidecar.exited]);
    await sidecar.stop();
    refuse('on stderr', sidecar.stderr);
    refuse('on stdout', sidecar.stdout);
  },
});
