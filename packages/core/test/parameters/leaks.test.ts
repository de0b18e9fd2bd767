// Secrets in every way that they can be given, and everything that a sidecar says: none of it may hold one.

import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { scratch } from '../../src/testing/scratch.ts';
import { type RunningSidecar, startSidecar } from '../../src/testing/start-sidecar.ts';
import { until } from '../../src/testing/until.ts';

const sample = import.meta.resolve('../fixtures/sample.ts');

// All hold this word, so that one search finds any of them.
const word = 'hushhush';
const [inFile, later, inVariable, inUrl, laterInUrl] = ['file', 'later', 'variable', 'url', 'later-url'].map(
  (each) => `${word}-${each}`,
) as [string, string, string, string, string];

async function speak(sidecar: RunningSidecar): Promise<string[]> {
  const authorization = `Bearer ${inVariable}`;
  const wrong = { authorization: `Bearer ${inVariable}x` };
  const post = (path: string, headers: Record<string, string>) => sidecar.post(path, { headers });
  const answers = await Promise.all([
    ...['/v1', '/v1/parameters', '/v1/status', '/v1/budget', '/metrics', '/openapi.json', '/readyz?verbose'].map(
      (path) => sidecar.get(path),
    ),
    ...['/nothing', '/v9/status', '/v1/greetings/teapot', `/v1/greetings/${'x'.repeat(30)}`].map((path) =>
      sidecar.get(path),
    ),
    post('/v1/parameters/reload', {}),
    post('/v1/parameters/reload', wrong),
    post('/v1/parameters/reload', { authorization }),
  ]);
  return await Promise.all(
    answers.map(async (answer) => `${JSON.stringify([...answer.headers])} ${await answer.text()}`),
  );
}

async function events(sidecar: RunningSidecar, wanted: string): Promise<string> {
  const response = await sidecar.get('/v1/events', { signal: AbortSignal.timeout(10_000) });
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes(wanted)) break;
  }
  return text;
}

test('nothing that a sidecar says holds a secret', { timeout: 120_000 }, async () => {
  await using directory = await scratch();
  const [password, config, message] = ['password', 'config.yaml', 'message'].map((name) => directory.join(name)) as [
    string,
    string,
    string,
  ];
  const configure = (url: string, more = '') =>
    writeFile(config, `upstream: http://me:${url}@127.0.0.1:1/\nlogLevel: trace\n${more}`);
  await writeFile(password, `${inFile}\n`);
  await configure(inUrl);
  await writeFile(message, '');
  const args = ['--password-file', password, '--config', config, '--termination-message-file', message];
  const env = { OUTRIGGER_ADMIN_TOKEN: inVariable };

  const said: string[] = [];
  await using sidecar = await startSidecar(sample, args, { env });
  said.push(...(await speak(sidecar)));
  expect(said.at(-1)).toContain('"changed":[]');
  // What changed is said in the log, in an event and in the answer.
  await writeFile(password, `${later}\n`);
  const reloaded = await until(async () => {
    const headers = { authorization: `Bearer ${inVariable}` };
    const text = await (await sidecar.post('/v1/parameters/reload', { headers })).text();
    return text.includes('--password-file') && text;
  });
  said.push(reloaded);
  await configure(laterInUrl, 'period: 2m\n');
  await until(() => sidecar.stderr.includes('that need a restart'));
  await configure(`${laterInUrl}/`, 'period: soon\n');
  await until(() => sidecar.stderr.includes('are refused and the old ones stay'));
  said.push(...(await speak(sidecar)), await events(sidecar, '--password-file'));
  sidecar.kill('SIGTERM');
  await sidecar.exited;
  expect(sidecar.stderr).toContain('[redacted]@127.0.0.1:1/');
  said.push(sidecar.stdout, sidecar.stderr);

  const runs: readonly (readonly [args: readonly string[], code: number])[] = [
    [['--help'], 0],
    [['--print-config'], 64],
    [['--json-schema'], 0],
    [['--check'], 64],
    [['--check', '--upstream', `http://me:${inUrl}/@127.0.0.1`], 64],
    [['--check', '--upstream', `me:${inUrl}@127.0.0.1`, '--names', `x=//me:${inUrl}@h`], 64],
    [['--check', '--password', inFile, `--passwrod-file=${inFile}`, '--admin-token', inVariable], 64],
    [['--check', '--period', 'soon', '--upstream', `http://me:${inUrl}@127.0.0.1/`], 64],
    [['--check', '--period', 'soon', '--upstream', `http://127.0.0.1/?a=b&api_key=${inUrl}#c`], 64],
    [['--check', '--period', 'soon', '--names', `X-Auth-Token=Bearer ${inUrl}`], 64],
    [['--period', 'soon'], 64],
  ];
  for (const [more, code] of runs) {
    await using run = await startSidecar(sample, [...args, ...more], { env, wait: false });
    expect({ more, code: (await run.exited).code }).toEqual({ more, code });
    said.push(run.stdout, run.stderr);
  }
  await configure(inUrl);
  for (const stall of ['fail', 'crash']) {
    await using run = await startSidecar(sample, [...args, '--stall', stall], { env, wait: false });
    expect((await run.exited).code).toBe(1);
    said.push(run.stdout, run.stderr, await readFile(message, 'utf8'));
  }
  const leaking = said.filter((each) => each.includes(word));
  expect(leaking).toEqual([]);
  expect(said.join('').length).toBeGreaterThan(20_000);
});

test('a secret that cannot be used is told without what is in it', async () => {
  await using directory = await scratch();
  await writeFile(directory.join('password'), `${inFile}\n${inFile}\n`);
  const args = ['--password-file', directory.join('password')];
  await using sidecar = await startSidecar(sample, args, {
    env: { OUTRIGGER_ADMIN_TOKEN: `${inVariable}\n!` },
    wait: false,
  });
  expect((await sidecar.exited).code).toBe(64);
  expect(sidecar.stderr).toMatch(/--password-file +\S+password \(--password-file\): holds a line break/);
  expect(sidecar.stderr).toMatch(/--admin-token-file +\(OUTRIGGER_ADMIN_TOKEN\): holds a line break/);
  expect(sidecar.stderr).not.toContain(word);
});
