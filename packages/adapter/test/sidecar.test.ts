// The whole sidecar as a process, beside a real application.

import { writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { makeVolume, type RunningSidecar, type Scratch, scratch, startSidecar, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { readExposition } from './helpers/exposition.ts';
import { largeDocument, largeRules } from './helpers/large.ts';
import { serve, type TestServer, xml } from './helpers/server.ts';

const main = import.meta.resolve('../src/main.ts');
const rules = `
root: status
rules:
  - metric: queue_depth
    type: gauge
    help: 'Jobs that wait \\ "here"'
    path: /status/queue
    value: '@depth'
    labels: { queue: '@name' }
  - metric: queue_done_total
    type: counter
    help: Jobs done
    path: /status/queue
    value: '@done'
    labels: { queue: '@name' }
    optional: true
`;
const status = (depth: number | string, name = 'a') =>
  `<status><queue name="${name}" depth="${depth}" done="7"/></status>`;

type Running = AsyncDisposable & {
  readonly server: TestServer;
  readonly sidecar: RunningSidecar;
  readonly directory: Scratch;
};

async function start(handler: RequestListener, more: readonly string[] = [], content = rules): Promise<Running> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await scratch());
  await writeFile(directory.join('rules.yaml'), content);
  const server = stack.use(await serve(handler));
  const args = ['--target', server.url, '--rules-file', directory.join('rules.yaml'), ...more];
  const fresh = more.includes('--max-age') ? [] : ['--max-age', '0'];
  const sidecar = stack.use(await startSidecar(main, [...args, ...fresh], { ready: true }));
  const kept = stack.move();
  return { server, sidecar, directory, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** A scrape, read strictly: name{labels} to value. */
async function scrape({ sidecar }: Pick<Running, 'sidecar'>): Promise<Map<string, number>> {
  const response = await sidecar.get('/metrics');
  expect(response.status).toBe(200);
  const families = readExposition(await response.text());
  return new Map(
    [...families.values()].flatMap(({ samples }) =>
      samples.map(({ name, labels, value }) => [`${name}${JSON.stringify(labels)}`, value] as const),
    ),
  );
}

const own = (key: string, labels: object = {}) => `outrigger_adapter_${key}${JSON.stringify(labels)}`;

test('each scrape shows the state of the application at that moment, beside the series of the sidecar', async () => {
  let depth = 1;
  await using running = await start((request, response) => xml(status(depth))(request, response));
  const seen = await scrape(running);
  for (const [key, value] of [
    ['queue_depth{"queue":"a"}', 1],
    ['queue_done_total{"queue":"a"}', 7],
    [own('target_up'), 1],
    [own('series'), 2],
    [own('document_size_bytes'), status(1).length],
  ] as const)
    expect({ key, value: seen.get(key) }).toEqual({ key, value });
  depth = 2;
  expect((await scrape(running)).get('queue_depth{"queue":"a"}')).toBe(2);
});

test('while the application is down its series are gone, and come back with it', async () => {
  let answer: RequestListener = xml(status(1));
  await using running = await start((request, response) => answer(request, response));
  expect((await scrape(running)).has('queue_depth{"queue":"a"}')).toBe(true);
  for (const [code, broken] of [
    ['TARGET_STATUS', (_, response) => response.writeHead(503).end()],
    ['DOCUMENT_MALFORMED', xml(status(1).slice(0, -1))],
    ['DOCUMENT_ROOT', xml('<html/>')],
    ['TARGET_UNREACHABLE', (request) => request.socket.destroy()],
  ] as [string, RequestListener][]) {
    answer = broken;
    const seen = await scrape(running);
    expect([...seen.keys()].filter((key) => key.startsWith('queue_'))).toEqual([]);
    expect(seen.get(own('target_up'))).toBe(0);
    expect(seen.get(own('target_errors_total', { code: `ADAPTER_${code}` }))).toBe(1);
  }
  // Whether the application is well is not whether the sidecar is.
  expect((await running.sidecar.get('/readyz')).status).toBe(200);
  answer = xml(status(3));
  expect((await scrape(running)).get('queue_depth{"queue":"a"}')).toBe(3);
  const said = running.sidecar.logs().filter(({ message }) => /target is up|answered 503/.test(message));
  expect(said.map(({ level, code }) => [level, code])).toEqual([
    ['info', undefined],
    ['warn', 'ADAPTER_TARGET_STATUS'],
    ['info', undefined],
  ]);
});

test('a fault that lasts is logged once and counted every time', async () => {
  await using running = await start(xml(status('many')));
  for (let count = 1; count <= 3; count++) {
    const seen = await scrape(running);
    expect(seen.get(own('target_up'))).toBe(1);
    expect(seen.get(own('rule_errors_total', { rule: 'queue_depth', reason: 'wrong_format' }))).toBe(count);
  }
  const said = running.sidecar.logs().filter(({ code }) => code === 'ADAPTER_RULE_FAILED');
  expect(said).toHaveLength(1);
  expect(said[0]!.message).toMatch(/^Rule queue_depth \(.+rules\.yaml:4:5\) .*wrong_format: "many" is no number$/);
});

test('fifty scrapes at once ask the application once', async () => {
  const { promise: waiting, resolve: release } = Promise.withResolvers<void>();
  await using running = await start(
    async (request, response) => {
      await waiting;
      xml(status(1))(request, response);
    },
    ['--max-age', '1m'],
  );
  const scrapes = Array.from({ length: 50 }, () => scrape(running));
  await until(() => running.server.requests === 1);
  // The application hangs, the sidecar does not.
  expect((await running.sidecar.get('/livez')).status).toBe(200);
  release();
  for (const seen of await Promise.all(scrapes)) expect(seen.get('queue_depth{"queue":"a"}')).toBe(1);
  await scrape(running);
  expect(running.server.requests).toBe(1);
});

test('a scrape of an application that hangs ends at the deadline', async () => {
  await using running = await start(() => undefined, ['--timeout', '300ms']);
  const from = performance.now();
  const seen = await scrape(running);
  expect(performance.now() - from).toBeLessThan(3000);
  expect(seen.get(own('target_up'))).toBe(0);
  expect(seen.get(own('target_errors_total', { code: 'ADAPTER_TARGET_TIMEOUT' }))).toBe(1);
});

test('a target that hangs again and again is left alone: scrapes are answered at once, and one tries it', async () => {
  let hanging = true;
  const args = ['--timeout', '1s', '--fail-fast-after', '2', '--fail-fast-time', '1s'];
  await using running = await start((request, response) => {
    if (!hanging) xml(status(1))(request, response);
  }, args);
  for (let at = 0; at < 2; at++) await scrape(running);
  expect(running.server.requests).toBe(2);
  const from = performance.now();
  for (let at = 0; at < 3; at++) {
    const seen = await scrape(running);
    expect(seen.get(own('target_breaker', { state: 'open' }))).toBe(1);
    expect(seen.get(own('target_breaker_change_timestamp_seconds'))).toBeCloseTo(Date.now() / 1000, -1);
  }
  expect(performance.now() - from).toBeLessThan(900);
  expect(running.server.requests).toBe(2);
  const { fault } = (await (await running.sidecar.get('/v1/metrics')).json()) as { fault: Record<string, string> };
  expect(fault).toMatchObject({ code: 'ADAPTER_TARGET_HANGS' });
  expect(fault.message).toMatch(/has hung since \d{4}-\S+Z: it is left alone for [12] s$/);
  expect(await (await running.sidecar.get('/v1/status')).json()).toMatchObject({ breaker: { state: 'open' } });
  // One trial in vain, during which nobody else waits.
  const answered: string[] = [];
  const trial = until(async () => {
    const seen = await scrape(running);
    return running.server.requests === 3 && seen;
  }).finally(() => answered.push('trial'));
  await until(() => running.server.requests === 3);
  const during = await scrape(running).finally(() => answered.push('other'));
  const after = await trial;
  expect(answered).toEqual(['other', 'trial']);
  expect(during.get(own('target_breaker', { state: 'half-open' }))).toBe(1);
  expect(after.get(own('target_breaker', { state: 'open' }))).toBe(1);
  hanging = false;
  await until(async () => (await scrape(running)).get('queue_depth{"queue":"a"}') === 1);
  expect((await scrape(running)).get(own('target_breaker', { state: 'closed' }))).toBe(1);
  const codes = running.sidecar.logs().flatMap(({ code, level }) => (level === 'warn' ? [code] : []));
  expect(codes).toEqual(['ADAPTER_TARGET_TIMEOUT', 'ADAPTER_TARGET_HANGS']);
});

test('a target that refuses is asked each time: that costs nothing, and it may be back at any moment', async () => {
  await using running = await start((_, response) => response.writeHead(503).end(), ['--fail-fast-after', '1']);
  for (let at = 0; at < 4; at++) await scrape(running);
  expect(running.server.requests).toBe(4);
});

test('SIGTERM during a fetch that hangs stops it at once', async () => {
  await using running = await start(() => undefined, ['--timeout', '1m']);
  const hanging = running.sidecar.get('/metrics').catch(() => undefined);
  await until(() => running.server.requests === 1);
  running.sidecar.kill('SIGTERM');
  expect(await running.sidecar.exited).toEqual({ code: 0, signal: null });
  await hanging;
});

test('hostile labels make one series each, in text and in JSON alike', async () => {
  const names = ['x"} 1\nevil_total 9', 'back\\slash\\', '\\n', '{}', '# HELP evil', '😀\u202e'];
  const escaped = names.map((name) => name.replaceAll('"', '&quot;').replaceAll('\n', '&#10;'));
  const body = escaped.map((name, index) => `<queue name="${name}" depth="${index}"/>`).join('');
  await using running = await start(xml(Buffer.from(`<status>${body}</status>`)));
  const seen = await scrape(running);
  for (const [index, queue] of names.entries()) expect(seen.get(`queue_depth${JSON.stringify({ queue })}`)).toBe(index);
  const { families } = (await (await running.sidecar.get('/v1/metrics')).json()) as { families: unknown[] };
  expect(families).toEqual([
    {
      name: 'queue_depth',
      type: 'gauge',
      help: 'Jobs that wait \\ "here"',
      samples: names.map((queue, value) => ({ labels: { queue }, value })),
    },
  ]);
});

test('/v1/rules says what each rule found, and /v1/metrics why there is nothing', async () => {
  let body = '<status><queue name="a" depth="-"/><queue name="b" depth="2"/></status>';
  await using running = await start((request, response) => xml(body)(request, response));
  const ask = async (path: string) => (await running.sidecar.get(path)).json() as Promise<Record<string, unknown>>;
  expect(await ask('/v1/rules')).toMatchObject({
    up: true,
    problems: [],
    rules: [
      {
        metric: 'queue_depth',
        path: '/status/queue',
        matched: 2,
        samples: 1,
        drops: { wrong_format: 1 },
        examples: { wrong_format: '"-" is no number' },
      },
      { metric: 'queue_done_total', matched: 2, samples: 0, drops: {} },
    ],
  });
  body = '';
  expect(await ask('/v1/metrics')).toMatchObject({
    up: false,
    families: [],
    fault: { code: 'ADAPTER_DOCUMENT_EMPTY', message: 'The document is empty' },
  });
});

test('infinity is written as words where JSON has none', async () => {
  const unlimited = rules.replace("value: '@depth'", "value: '@depth'\n    map: { unlimited: .inf }");
  await using running = await start(xml(status('unlimited')), [], unlimited);
  expect((await scrape(running)).get('queue_depth{"queue":"a"}')).toBe(Number.POSITIVE_INFINITY);
  expect(JSON.stringify(await (await running.sidecar.get('/v1/metrics')).json())).toContain('"value":"+Inf"');
});

test('new rules are taken when they change, wrong ones are reported and the old ones stay', async () => {
  await using running = await start(xml(status(1)));
  const { sidecar, directory } = running;
  const write = (content: string) => writeFile(directory.join('rules.yaml'), content);
  const shows = (key: string, value: number) => until(async () => (await scrape(running)).get(key) === value);
  await write(rules.replaceAll('queue_depth', 'waiting_jobs'));
  await shows('waiting_jobs{"queue":"a"}', 1);
  await write(rules.replace('gauge', 'guage'));
  await shows('outrigger_parameters_valid{}', 0);
  expect((await scrape(running)).get('waiting_jobs{"queue":"a"}')).toBe(1);
  const wrong = /rules\.yaml:5:11\): rules\[0\]\.type: .*did you mean gauge\?$/m;
  expect(sidecar.logs().filter(({ level, message }) => level === 'error' && wrong.test(message))).toHaveLength(1);
  const told = [expect.stringMatching(wrong)];
  expect(await (await sidecar.get('/v1/status')).json()).toMatchObject({ rulesProblems: told });
  expect(await (await sidecar.get('/v1/rules')).json()).toMatchObject({
    file: directory.join('rules.yaml'),
    problems: told,
  });
  await write(rules);
  await shows('outrigger_parameters_valid{}', 1);
  expect((await scrape(running)).get('queue_depth{"queue":"a"}')).toBe(1);
});

test('rules may stand in the config file itself', async () => {
  await using directory = await scratch();
  await using server = await serve(xml(status(1)));
  const config = `target: ${server.url}\nmaxAge: 0s\nrules:\n${rules.replace(/^/gm, '  ')}`;
  await writeFile(directory.join('adapter.yaml'), config);
  await using sidecar = await startSidecar(main, ['--config', directory.join('adapter.yaml')], { ready: true });
  expect((await scrape({ sidecar })).get('queue_depth{"queue":"a"}')).toBe(1);
  await writeFile(directory.join('adapter.yaml'), config.replaceAll('queue_depth', 'waiting_jobs'));
  await until(async () => (await scrape({ sidecar })).has('waiting_jobs{"queue":"a"}'));
});

test('rules from a ConfigMap are taken after its ..data swap', async () => {
  await using directory = await scratch();
  await using server = await serve(xml(status(1)));
  const volume = await makeVolume(directory.path, { 'rules.yaml': rules });
  const args = ['--target', server.url, '--rules-file', directory.join('rules.yaml'), '--max-age', '0'];
  await using sidecar = await startSidecar(main, args, { ready: true });
  expect((await scrape({ sidecar })).has('queue_depth{"queue":"a"}')).toBe(true);
  await volume.swap({ 'rules.yaml': rules.replaceAll('queue_depth', 'waiting_jobs') });
  await until(async () => (await scrape({ sidecar })).has('waiting_jobs{"queue":"a"}'));
});

test('probes are answered while a long document is translated', async () => {
  const { document, queues } = largeDocument(1_200_000);
  await using running = await start(xml(document), ['--series-limit', '100000', '--timeout', '60s'], largeRules);
  const scraping = scrape(running);
  let done = false;
  const finished = scraping.finally(() => {
    done = true;
  });
  let longest = 0;
  while (!done) {
    const from = performance.now();
    expect((await running.sidecar.get('/livez')).status).toBe(200);
    longest = Math.max(longest, performance.now() - from);
  }
  expect((await finished).get(own('series'))).toBe(queues);
  // A kubelet gives a probe one second.
  expect(longest).toBeLessThan(1000);
});

test('wrong parameters and wrong rules are told together, with exit code 64', async () => {
  await using directory = await scratch();
  await writeFile(directory.join('rules.yaml'), 'rules:\n  - metrik: a\n    type: gauge\n    help: h\n    path: a[\n');
  const args = ['--target', 'nowhere', '--rules-file', directory.join('rules.yaml'), '--timeout', '1ms'];
  expect(await refusal(args, directory)).toEqual([
    'nowhere (--target): a URL such as http://127.0.0.1:8080/status.xml is expected',
    '(rules.yaml:2:5): rules[0].metric: is missing: text is expected',
    '(rules.yaml:2:5): rules[0].metrik: unknown; did you mean metric?',
    '1ms (--timeout): a duration of at least 10ms is expected',
  ]);
});

test('parameters that are right by themselves and wrong together are told together', async () => {
  await using directory = await scratch();
  await writeFile(directory.join('rules.yaml'), rules);
  await writeFile(directory.join('password'), 'hush\n');
  const args = ['--target', 'unix:/', '--rules-file', directory.join('rules.yaml')];
  expect(await refusal([...args, '--target-password-file', directory.join('password')], directory)).toEqual([
    'unix:/ (--target): unix:/path/of/the/socket:/path/of/the/page is expected',
    'is needed with --target-password-file',
  ]);
});

/** What is said of each parameter, after its name. */
async function refusal(args: readonly string[], directory: Scratch): Promise<string[]> {
  await using sidecar = await startSidecar(main, args, { wait: false });
  expect((await sidecar.exited).code).toBe(64);
  expect(sidecar.stderr).not.toMatch(/hush|^ +at /m);
  const [, ...lines] = sidecar.stderr.replaceAll(`${directory.path}/`, '').trim().split('\n');
  return lines.map((line) => line.replace(/^ +\S+ +/, ''));
}

test('credentials in the target are refused', async () => {
  await using directory = await scratch();
  await writeFile(directory.join('rules.yaml'), rules);
  const args = ['--target', 'http://joe:hush@127.0.0.1:1/', '--rules-file', directory.join('rules.yaml')];
  await using sidecar = await startSidecar(main, args, { wait: false });
  expect((await sidecar.exited).code).toBe(64);
  expect(sidecar.stderr).toContain('use --target-user and --target-password-file');
});
