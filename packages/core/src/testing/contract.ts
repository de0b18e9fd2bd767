// The contract that every sidecar keeps, as tests. A package calls contract() in test/contract.test.ts.

import { request } from 'node:http';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { apiContract } from './api-contract.ts';
import { lifeContract } from './life-contract.ts';
import { parametersContract } from './parameters-contract.ts';
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
    apiContract(started);
    parametersContract(started, ended, validArguments);
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
    const id = /id: (\S+)\nevent: started/.exec(first)![1]!;
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
