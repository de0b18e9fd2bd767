// What is answered at the admin port.

import type { Answered } from '@outrigger/core/client';
import { metricProblem } from '../metric-text.ts';
import { defineRule, demand } from '../rule.ts';
import type { Sidecar } from '../sidecar.ts';

export const probes = defineRule({
  id: 'api/probes',
  title: '/livez, /startupz and /healthz answer 200, /readyz 200 or 503, and ?verbose lists the checks',
  reason: 'Manifests, the monitor and people look for these paths, whoever wrote the sidecar',
  section: 'health',
  severity: 'error',
  async check(bench) {
    const sidecar = await bench.serve();
    for (const path of ['/livez', '/healthz']) {
      const { status } = await sidecar.ask(path);
      demand(status === 200, `${path} to answer 200`, `${status}`);
    }
    const { status } = await sidecar.ask('/readyz');
    demand([200, 503].includes(status), '/readyz to answer 200 or 503', `${status}`);
    const { text } = await sidecar.ask('/readyz?verbose');
    const lists = text.split('\n').some((line) => /^\[[+-]\]\S+/.test(line));
    demand(lists, '/readyz?verbose to list each check as "[+]name ok" or "[-]name failed: reason"', text.slice(0, 200));
  },
});

export const metrics = defineRule({
  id: 'api/metrics',
  title: '/metrics is valid Prometheus text and has outrigger_build_info',
  reason: 'One malformed line, and Prometheus drops the whole scrape',
  section: 'the-api',
  severity: 'error',
  async check(bench) {
    const sidecar = await bench.serve();
    const answer = await sidecar.ask('/metrics');
    demandType(answer, 'text/plain');
    const problem = metricProblem(answer.text);
    demand(problem === undefined, 'valid Prometheus text', problem ?? '');
    demand(/^outrigger_build_info\{[^}]*\} 1$/m.test(answer.text), 'outrigger_build_info with the value 1', 'none');
  },
});

export const openMetrics = defineRule({
  id: 'api/openmetrics',
  title: '/metrics is OpenMetrics when that is asked for',
  reason: 'Prometheus asks for it first; an answer in another format must say so, and this one must end with # EOF',
  section: 'the-api',
  severity: 'warning',
  async check(bench) {
    const sidecar = await bench.serve();
    const accept = 'application/openmetrics-text; version=1.0.0,text/plain;version=0.0.4;q=0.5';
    const answer = await sidecar.ask('/metrics', { headers: { accept } });
    demandType(answer, 'application/openmetrics-text');
    const problem = metricProblem(answer.text, { open: true });
    demand(problem === undefined, 'valid OpenMetrics text', problem ?? '');
  },
});

function demandType({ status, headers }: Answered, type: string): void {
  demand(status === 200, 'an answer 200', `${status}`);
  const seen = String(headers['content-type']);
  demand(seen.startsWith(type), `Content-Type ${type}`, seen);
}

export const openApi = defineRule({
  id: 'api/openapi',
  title: '/openapi.json describes the API in OpenAPI 3.1',
  reason: 'Clients are made from it, and people find their way by it',
  section: 'the-api',
  severity: 'error',
  async check(bench) {
    const sidecar = await bench.serve();
    const answer = await sidecar.ask('/openapi.json');
    const description = jsonOf(answer, '/openapi.json');
    const { openapi, info, paths } = description as { openapi?: unknown; info?: { title?: unknown }; paths?: unknown };
    demand(String(openapi).startsWith('3.1.'), '"openapi": "3.1.x"', JSON.stringify(openapi) ?? 'nothing');
    demand(typeof info?.title === 'string', '"info" with a "title"', JSON.stringify(info) ?? 'nothing');
    const described = Object.keys((paths as object | undefined) ?? {});
    demand(described.includes('/v1'), '"paths" with /v1', described.join(', ') || 'nothing');
  },
});

export const getChangesNothing = defineRule({
  id: 'api/get-changes-nothing',
  title: 'GET never changes anything, not even at /v1/prestop and /v1/shutdown',
  reason: 'Browsers, crawlers and link previews send GET without being asked',
  section: 'the-api',
  severity: 'error',
  async check(bench) {
    const sidecar = await bench.serve();
    const phase = (await sidecar.ask('/v1')).text;
    for (const path of ['/v1/prestop', '/v1/shutdown']) {
      const { status } = await sidecar.ask(path);
      demand(status >= 400 && status < 500, `GET ${path} to be refused (405)`, `${status}`);
    }
    demand((await sidecar.ask('/v1')).text === phase, 'the same answer of /v1 as before', 'another one');
    await sidecar.answers('/livez');
  },
});

const foreign = [
  [
    'api/foreign-host',
    'A change with a foreign Host is refused',
    { host: 'evil.example' },
    'DNS rebinding gives a web page a name that leads to 127.0.0.1: only the Host header tells',
  ],
  [
    'api/foreign-origin',
    'A change with a foreign Origin is refused',
    { origin: 'http://evil.example' },
    'Any page that a developer visits may send a POST to localhost; only the Origin header tells',
  ],
] as const;

export const [foreignHost, foreignOrigin] = foreign.map(([id, title, headers, reason]) =>
  defineRule({
    id,
    title,
    reason,
    section: 'the-api',
    severity: 'error',
    async check(bench) {
      const sidecar = await bench.serve();
      for (const path of ['/v1/prestop', '/v1/shutdown']) {
        const { status } = await sidecar.ask(path, { method: 'POST', headers });
        demand(
          status >= 400 && status < 500,
          `POST ${path} with ${JSON.stringify(headers)} to be refused`,
          `${status}`,
        );
      }
      await sidecar.answers('/livez');
    },
  }),
) as [ReturnType<typeof defineRule>, ReturnType<typeof defineRule>];

export const self = defineRule({
  id: 'api/self',
  title: '/v1 names role, version, API versions and phase',
  reason: 'The monitor and people find out by it what they speak to',
  section: 'the-api',
  severity: 'error',
  async check(bench) {
    const sidecar = await bench.serve();
    const about = jsonOf(await sidecar.ask('/v1'), '/v1') as Record<string, unknown>;
    for (const name of ['role', 'version', 'phase'])
      demand(typeof about[name] === 'string', `"${name}" as text at /v1`, JSON.stringify(about[name]) ?? 'nothing');
    demandV1('apiVersions', about.apiVersions);
  },
});

function demandV1(name: string, versions: unknown): void {
  const named = Array.isArray(versions) && versions.includes('v1');
  demand(named, `"${name}" with "v1"`, JSON.stringify(versions) ?? 'nothing');
}

export const unknownVersion = defineRule({
  id: 'api/unknown-version',
  title: 'An unknown API version answers 404 and lists the versions there are',
  reason: 'A newer client finds out what it may ask instead',
  section: 'the-api',
  severity: 'warning',
  async check(bench) {
    const sidecar = await bench.serve();
    const { versions } = await problemOf(sidecar, '/v99/status', 404);
    demandV1('versions', versions);
  },
});

export const problemJson = defineRule({
  id: 'api/problem-json',
  title: 'Errors are application/problem+json with a stable code',
  reason: 'RFC 9457: a program acts on the code, a person reads the detail',
  section: 'the-api',
  severity: 'warning',
  async check(bench) {
    const sidecar = await bench.serve();
    const { code } = await problemOf(sidecar, '/v1/no-such-resource', 404);
    const stable = typeof code === 'string' && /^[A-Z][A-Z0-9_]*$/.test(code);
    demand(stable, '"code" in capitals', JSON.stringify(code) ?? 'nothing');
  },
});

async function problemOf(sidecar: Sidecar, path: string, status: number): Promise<Record<string, unknown>> {
  const answer = await sidecar.ask(path);
  demand(answer.status === status, `GET ${path} to answer ${status}`, `${answer.status}`);
  const type = String(answer.headers['content-type']);
  demand(type.startsWith('application/problem+json'), 'Content-Type application/problem+json', type);
  return jsonOf(answer, path) as Record<string, unknown>;
}

function jsonOf({ status, text }: Answered, path: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Said below.
  }
  demand(typeof value === 'object' && value !== null, `a JSON object at ${path}`, `${status} ${text.slice(0, 200)}`);
  return value;
}
