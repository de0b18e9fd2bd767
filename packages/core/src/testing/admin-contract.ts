// What the admin listener of every sidecar answers: probes, metrics, the API's frame, and who may change something.

import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Started } from './contract.ts';
import { scratch } from './scratch.ts';
import type { RunningSidecar } from './start-sidecar.ts';

export function adminContract(started: Started): void {
  describe('asked for something', () => {
    // What only reads shares a sidecar.
    let running: Awaited<ReturnType<Started>>;
    let sidecar: RunningSidecar;
    beforeAll(async () => {
      running = await started();
      sidecar = running.sidecar;
    });
    afterAll(() => running?.[Symbol.asyncDispose]());
    const text = async (path: string) => (await sidecar.get(path)).text();
    const json = async (path: string) => (await (await sidecar.get(path)).json()) as Record<string, unknown>;

    test('probes answer, list their checks, leave out what is excluded and ask one alone', async () => {
      for (const path of ['/livez', '/healthz', '/startupz']) expect((await sidecar.get(path)).status).toBe(200);
      expect(await text('/startupz')).toBe('ok\n');
      expect(await text('/startupz?verbose')).toBe('[+]start ok\nstartupz check passed\n');
      expect(await text('/livez?verbose')).toContain('[+]event-loop ok\n');
      const without = await text('/startupz?verbose&exclude=start&exclude=stop');
      expect(without).toBe(
        '[+]start excluded: ok\nwarn: some health checks cannot be excluded: no matches for "stop"\nstartupz check passed\n',
      );
      expect((await sidecar.get('/startupz/start')).status).toBe(200);
      expect((await sidecar.get('/readyz/start')).status).toBe(200);
      expect((await sidecar.get('/readyz/no-such-check')).status).toBe(404);
    });

    test('metrics are Prometheus text, or OpenMetrics when asked for', async () => {
      const plain = await sidecar.get('/metrics');
      expect(plain.headers.get('content-type')).toContain('text/plain; version=0.0.4');
      const series = await plain.text();
      expect(series).toMatch(/^outrigger_build_info\{role="[a-z-]+",version="[^"]+",node="[^"]+"\} 1$/m);
      expect(series).toMatch(/^outrigger_phase\{phase="serving"\} 1$/m);
      expect(series).toMatch(/^outrigger_event_loop_delay_seconds \d/m);
      expect(series).not.toContain('# EOF');
      const open = await sidecar.get('/metrics', {
        headers: { accept: 'application/openmetrics-text; version=1.0.0' },
      });
      expect(open.headers.get('content-type')).toContain('application/openmetrics-text');
      expect(await open.text()).toMatch(/# EOF\n$/);
    });

    test('openapi.json is valid OpenAPI 3.1, and every GET route in it without a path parameter answers', async () => {
      const description = await json('/openapi.json');
      const { valid, errors } = await new Validator().validate(description);
      expect(errors).toBeUndefined();
      expect(valid).toBe(true);
      expect(description).toMatchObject({ openapi: '3.1.0' });
      const listed = Object.entries(description.paths as Record<string, object>).filter(
        ([path, methods]) => 'get' in methods && !path.includes('{') && path !== '/v1/events',
      );
      expect(listed.length).toBeGreaterThan(5);
      for (const [path] of listed) {
        const { status } = await sidecar.get(path);
        expect({ path, status }).toEqual({ path, status: path === '/readyz' ? status : 200 });
      }
    });

    test('/v1 names the role, its versions and links, and every parameter shows its source', async () => {
      const self = await json('/v1');
      expect(self).toMatchObject({ apiVersions: ['v1'], phase: 'serving' });
      expect(self.links).toContain('/v1/parameters');
      expect(await json('/v1/parameters')).toMatchObject({
        adminAddress: { value: '127.0.0.1:0', source: '--admin-address' },
        drainTimeout: { value: '20s', source: 'default' },
      });
      expect(await json('/v1/status')).toMatchObject({ phase: 'serving' });
    });

    test('errors are problem+json with a code; an unknown version lists the versions there are', async () => {
      const unknown = await sidecar.get('/v9/status');
      expect(unknown.status).toBe(404);
      expect(unknown.headers.get('content-type')).toBe('application/problem+json');
      expect(await unknown.json()).toMatchObject({ code: 'UNKNOWN_VERSION', versions: ['v1'] });
      expect(await json('/nothing')).toMatchObject({ status: 404, code: 'NOT_FOUND' });
      for (const path of ['/livez/%ff', '/readyz/%00', '/livez/%'])
        expect(await json(path)).toMatchObject({ status: 400, code: 'INVALID_PATH' });
    });

    test('a method that is not possible gets 405 with those that are, and HEAD is GET without the body', async () => {
      const methods = async (method: string, path: string) => {
        const { status, headers } = await sidecar.get(path, { method });
        return [status, headers.get('allow')];
      };
      expect(await methods('GET', '/v1/prestop')).toEqual([405, 'POST']);
      expect(await methods('HEAD', '/v1/prestop')).toEqual([405, 'POST']);
      expect(await methods('DELETE', '/v1/status')).toEqual([405, 'GET, HEAD']);
      expect(await methods('OPTIONS', '/livez')).toEqual([405, 'GET, HEAD']);
      const head = await sidecar.get('/livez', { method: 'HEAD' });
      expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '3', '']);
    });

    // fetch does not let these headers be forged.
    test('a change from a foreign page, by a foreign name or through a proxy is refused', async () => {
      const shutdown = (headers: Record<string, string>) => ask(`${sidecar.url}/v1/shutdown`, 'POST', headers);
      for (const [code, headers] of [
        ['FOREIGN_HOST', { host: 'evil.example' }],
        ['FOREIGN_HOST', { host: 'localhost.evil.example' }],
        ['FOREIGN_ORIGIN', { origin: 'http://evil.example' }],
        ['FOREIGN_ORIGIN', { origin: 'null' }],
        ['FOREIGN_ORIGIN', { 'sec-fetch-site': 'cross-site' }],
        ['LOOPBACK_ONLY', { 'x-forwarded-for': '127.0.0.1' }],
      ] as const)
        expect([headers, await shutdown(headers)]).toEqual([headers, { status: 403, code }]);
      expect(await json('/v1')).toMatchObject({ phase: 'serving' });
    });
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

  test('with a token nothing is changed without it, and everything can be read', async () => {
    await using directory = await scratch();
    const file = directory.join('token');
    await writeFile(file, 'open sesame\n');
    await using running = await started({ env: { OUTRIGGER_ADMIN_TOKEN_FILE: file } });
    const { url } = running.sidecar;
    const prestop = (headers: Record<string, string>) => ask(`${url}/v1/prestop`, 'POST', headers);
    for (const authorization of ['', 'Bearer', 'Bearer open', 'Basic open sesame'])
      expect(await prestop({ authorization })).toEqual({ status: 401, code: 'TOKEN' });
    expect(await prestop({ authorization: 'Bearer open sesame', origin: 'http://evil.example' })).toMatchObject({
      status: 403,
    });
    expect(await ask(`${url}/v1/parameters`, 'GET', {})).toMatchObject({ status: 200 });
    // The token proves who asks, so the name may be that of a Service.
    expect(await prestop({ authorization: 'Bearer open sesame', host: 'rates.shop.svc' })).toMatchObject({
      status: 202,
    });
  });
}

type Asked = { readonly status: number | undefined; readonly code: string | undefined };

function ask(url: string, method: string, headers: Readonly<Record<string, string>>): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, signal: AbortSignal.timeout(5_000) });
    sent.on('error', reject).on('response', async (response) => {
      const { code } = JSON.parse(Buffer.concat(await response.toArray()).toString()) as { code?: string };
      resolve({ status: response.statusCode, code });
    });
    sent.end();
  });
}
