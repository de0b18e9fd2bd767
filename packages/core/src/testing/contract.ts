// The contract that every sidecar keeps, as tests. A package calls contract() in test/contract.test.ts.

import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { lifeContract } from './life-contract.ts';
import { scratch } from './scratch.ts';
import { type RunningSidecar, type StartOptions, startSidecar } from './start-sidecar.ts';

/** Arguments of a valid start, whose files lie in the given directory. */
export type ValidArguments = (directory: string) => readonly string[] | Promise<readonly string[]>;

/** @param main URL of the package's main.ts. */
export function contract(main: string, validArguments: ValidArguments): void {
  /** A sidecar with a directory of its own, until the end of the test. */
  const started = async (options: StartOptions = {}) => {
    const directory = await scratch();
    const sidecar = await startSidecar(main, await validArguments(directory.path), options);
    const stack = new AsyncDisposableStack();
    stack.use(directory);
    stack.use(sidecar);
    return { sidecar, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  };
  /** What the program says when it is expected to end by itself. */
  const ended = async (args: readonly string[], options: StartOptions = {}) => {
    await using sidecar = await startSidecar(main, args, { wait: false, ...options });
    const { code } = await sidecar.exited;
    return { code, stdout: sidecar.stdout, stderr: sidecar.stderr };
  };

  describe('the contract of a sidecar', () => {
    lifeContract(started, ended);
    adminContract(started);
    commandLineContract(started, ended, validArguments);
  });
}

export type Started = (options?: StartOptions) => Promise<AsyncDisposable & { readonly sidecar: RunningSidecar }>;
export type Ended = (
  args: readonly string[],
  options?: StartOptions,
) => Promise<{ code: number | null; stdout: string; stderr: string }>;

function adminContract(started: Started): void {
  test('probes answer, list their checks, leave out what is excluded and ask one alone', async () => {
    await using running = await started();
    const { sidecar } = running;
    for (const path of ['/livez', '/healthz', '/startupz']) expect((await sidecar.get(path)).status).toBe(200);
    expect(await (await sidecar.get('/startupz?verbose')).text()).toContain('[+]start ok\n');
    expect(await (await sidecar.get('/startupz?verbose&exclude=start')).text()).not.toContain('start ok');
    expect((await sidecar.get('/readyz/start')).status).toBe(200);
    expect((await sidecar.get('/readyz/no-such-check')).status).toBe(404);
  });

  test('metrics are Prometheus text, or OpenMetrics when asked for', async () => {
    await using running = await started();
    const { sidecar } = running;
    const plain = await sidecar.get('/metrics');
    expect(plain.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    const text = await plain.text();
    expect(text).toMatch(/^outrigger_build_info\{role="[a-z-]+",version="[^"]+",node="[^"]+"\} 1$/m);
    expect(text).toMatch(/^outrigger_phase\{phase="serving"\} 1$/m);
    expect(text).not.toContain('# EOF');
    const open = await sidecar.get('/metrics', { headers: { accept: 'application/openmetrics-text; version=1.0.0' } });
    expect(open.headers.get('content-type')).toContain('application/openmetrics-text');
    expect(await open.text()).toMatch(/# EOF\n$/);
  });

  test('openapi.json is valid OpenAPI 3.1', async () => {
    await using running = await started();
    const description = (await (await running.sidecar.get('/openapi.json')).json()) as Record<string, unknown>;
    const { valid, errors } = await new Validator().validate(description);
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(description).toMatchObject({ openapi: '3.1.0' });
  });

  test('every GET route without a path parameter that openapi.json lists answers', async () => {
    await using running = await started();
    const { sidecar } = running;
    const { paths } = (await (await sidecar.get('/openapi.json')).json()) as { paths: Record<string, object> };
    const listed = Object.entries(paths).filter(
      ([path, methods]) => 'get' in methods && !path.includes('{') && path !== '/v1/events',
    );
    expect(listed.length).toBeGreaterThan(5);
    for (const [path] of listed) {
      const { status } = await sidecar.get(path);
      expect({ path, status }).toEqual({ path, status: path === '/readyz' ? status : 200 });
    }
  });

  test('/v1 names the role, its versions and links, and every parameter shows its source', async () => {
    await using running = await started();
    const { sidecar } = running;
    const self = (await (await sidecar.get('/v1')).json()) as Record<string, unknown>;
    expect(self).toMatchObject({ apiVersions: ['v1'], phase: 'serving' });
    expect(self.links).toContain('/v1/parameters');
    const parameters = (await (await sidecar.get('/v1/parameters')).json()) as Record<string, { source: string }>;
    expect(parameters.adminAddress).toMatchObject({ value: '127.0.0.1:0', source: '--admin-address' });
    expect(parameters.drainTimeout).toMatchObject({ value: '20s', source: 'default' });
    expect(await (await sidecar.get('/v1/status')).json()).toMatchObject({ phase: 'serving' });
  });

  test('events are streamed as they happen and resumed after Last-Event-ID', async () => {
    await using running = await started();
    const { sidecar } = running;
    const events = async (headers: Record<string, string>, wanted: string) => {
      const response = await sidecar.get('/v1/events', { headers, signal: AbortSignal.timeout(5_000) });
      expect(response.headers.get('content-type')).toContain('text/event-stream');
      let text = '';
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        if (text.includes(wanted)) return text;
      }
      throw new Error(`The stream ended without "${wanted}": ${text}`);
    };
    const first = await events({}, 'event: started');
    const id = /id: (\d+)\nevent: started/.exec(first)![1]!;
    await sidecar.post('/v1/prestop');
    expect(await events({ 'last-event-id': id }, 'event: leaving')).not.toContain('event: started');
  });

  test('errors are problem+json with a code; an unknown version lists the versions there are', async () => {
    await using running = await started();
    const { sidecar } = running;
    const unknown = await sidecar.get('/v9/status');
    expect(unknown.status).toBe(404);
    expect(unknown.headers.get('content-type')).toBe('application/problem+json');
    expect(await unknown.json()).toMatchObject({ code: 'UNKNOWN_VERSION', versions: ['v1'] });
    expect(await (await sidecar.get('/nothing')).json()).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    const wrong = await sidecar.get('/v1/prestop');
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toBe('POST');
  });

  test('a foreign Host or Origin may change nothing', async () => {
    await using running = await started();
    const { sidecar } = running;
    const { host } = new URL(sidecar.url);
    expect(await refusal(host, { host: 'evil.example' })).toBe(403);
    expect(await refusal(host, { origin: 'http://evil.example' })).toBe(403);
    expect(await (await sidecar.get('/v1')).json()).toMatchObject({ phase: 'serving' });
  });
}

/** fetch does not let a Host header be forged. */
function refusal(host: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(`http://${host}/v1/shutdown`, { method: 'POST', headers, signal: AbortSignal.timeout(5_000) });
    sent.on('error', reject).on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.end();
  });
}

function commandLineContract(started: Started, ended: Ended, validArguments: ValidArguments): void {
  const check = async (...wrong: string[]) => {
    await using directory = await scratch();
    return await ended([...(await validArguments(directory.path)), ...wrong]);
  };

  test('wrong parameters are listed all at once with exit code 64 and no stack trace', async () => {
    const { code, stderr } = await check('--drain-timeuot', '3s', '--log-level', 'lound', '--drain-timeout', 'soon');
    expect(code).toBe(64);
    expect(stderr).toContain('3 parameters are wrong');
    expect(stderr).toMatch(/--drain-timeuot +unknown; did you mean --drain-timeout\?/);
    expect(stderr).toMatch(/--log-level +lound \(--log-level\): trace, debug, info, warn or error is expected/);
    expect(stderr).toMatch(/--drain-timeout +soon \(--drain-timeout\): a duration such as/);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  test('a config file with bad YAML or an unknown key is named with its line', async () => {
    await using directory = await scratch();
    await writeFile(directory.join('bad.yaml'), 'logLevel: info\nlogFormat: [json\n');
    await writeFile(directory.join('unknown.yaml'), 'logLevel: info\nlogLevle: debug\n');
    const bad = await check('--config', directory.join('bad.yaml'));
    expect(bad.code).toBe(64);
    expect(bad.stderr).toMatch(/--config +\S+bad\.yaml:\d+:\d+: /);
    const unknown = await check('--config', directory.join('unknown.yaml'));
    expect(unknown.code).toBe(64);
    expect(unknown.stderr).toMatch(/logLevle +\(\S+unknown\.yaml:2:1\): unknown; did you mean logLevel\?/);
    const missing = await check('--config', directory.join('missing.yaml'));
    expect(missing.stderr).toMatch(/--config +\S+missing\.yaml: no such file/);
  });

  test('an admin port in use is one clear line with exit code 1', async () => {
    await using running = await started();
    await using directory = await scratch();
    const adminAddress = new URL(running.sidecar.url).host;
    const { code, stderr } = await ended(await validArguments(directory.path), { adminAddress });
    expect(code).toBe(1);
    expect(stderr).toContain(`--admin-address  ${adminAddress} (--admin-address): the address is already in use`);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  test('a failure leaves its reason in the termination message file', async () => {
    await using directory = await scratch();
    await writeFile(directory.join('message'), '');
    await check('--termination-message-file', directory.join('message'), '--drain-timeout', 'soon');
    expect(await readFile(directory.join('message'), 'utf8')).toContain('1 parameter is wrong');
  });

  test('--check accepts a valid command line and starts nothing', async () => {
    const { code, stdout, stderr } = await check('--check');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('all parameters are right');
  });

  test('--help, --version, --json-schema, --openapi and --print-config print and exit 0', async () => {
    const help = await ended(['--help']);
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('--drain-timeout <duration>');
    expect((await ended(['--version'])).stdout).toMatch(/^[a-z-]+ \d+\.\d+\.\d+\n$/);
    expect(JSON.parse((await ended(['--json-schema'])).stdout)).toMatchObject({ type: 'object' });
    expect(JSON.parse((await ended(['--openapi'])).stdout)).toMatchObject({ openapi: '3.1.0' });
    expect((await check('--print-config')).stdout).toContain('# default\ndrainTimeout: 20s\n');
  });
}
