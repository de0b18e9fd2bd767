// /livez, /readyz, /startupz, as kube-apiserver answers them: the status is for machines, the text for people.

import type { Health, Probe, Result } from '../health.ts';
import type { AdminRequest, Reply, Router } from './router.ts';

const paths: Readonly<Record<string, Probe>> = {
  '/livez': 'livez',
  '/healthz': 'livez',
  '/readyz': 'readyz',
  '/startupz': 'startupz',
};

export function serveProbes(router: Router, health: Health): void {
  for (const [path, probe] of Object.entries(paths)) {
    router.add('GET', path, (request) => {
      // Asked all the time, by the kubelet, so it makes nothing.
      if (request.search === '' && health.passes(probe)) return passed;
      return answer(request, probe, health.results(probe));
    });
    router.add('GET', `${path}/{name}`, (request) => {
      const { name } = request.params;
      const found = health.results(probe).filter((result) => result.name === name);
      return found.length === 0 ? text(404, `no check is named "${name}"\n`) : answer(request, probe, found);
    });
  }
}

const text = (status: number, body: string): Reply => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body,
});

const passed = text(200, 'ok\n');

function answer({ query }: AdminRequest, probe: Probe, results: readonly Result[]): Reply {
  const excluded = new Set(query.getAll('exclude'));
  const counts = ({ name, reason }: Result) => reason !== undefined && !excluded.has(name);
  const failed = results.some(counts);
  const verbose = query.has('verbose') && query.get('verbose') !== 'false';
  if (!verbose && !failed) return passed;
  const lines = results.map((result) => (excluded.has(result.name) ? `[+]${result.name} excluded: ok` : line(result)));
  const unknown = excluded.difference(new Set(results.map(({ name }) => name)));
  if (unknown.size > 0) lines.push(`warn: some health checks cannot be excluded: no matches for ${quoted(unknown)}`);
  lines.push(`${probe} check ${failed ? 'failed' : 'passed'}`, '');
  return text(failed ? 503 : 200, lines.join('\n'));
}

const line = ({ name, reason, since }: Result) =>
  reason === undefined
    ? `[+]${name} ok`
    : `[-]${name} failed: ${reason.replace(/\s+/g, ' ')} since ${since.toISOString()}`;

const quoted = (names: ReadonlySet<string>) => [...names].map((name) => JSON.stringify(name)).join(',');
