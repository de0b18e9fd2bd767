// /livez, /readyz, /startupz: the status is for machines, the text for people.

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
    router.add('GET', path, (request) => answer(request, probe, health.results(probe)));
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

function answer({ query }: AdminRequest, probe: Probe, results: readonly Result[]): Reply {
  const excluded = new Set(query.getAll('exclude'));
  const counted = results.filter(({ name }) => !excluded.has(name));
  const failed = counted.filter(({ reason }) => reason !== undefined);
  const verbose = query.has('verbose') && query.get('verbose') !== 'false';
  if (!verbose && failed.length === 0) return text(200, 'ok\n');
  const verdict = `${probe} check ${failed.length === 0 ? 'passed' : 'failed'}`;
  const lines = [...(verbose ? counted : failed).map(line), verdict, ''];
  return text(failed.length === 0 ? 200 : 503, lines.join('\n'));
}

const line = ({ name, reason, since }: Result) =>
  reason === undefined
    ? `[+]${name} ok`
    : `[-]${name} failed: ${reason.replace(/\s+/g, ' ')} since ${since.toISOString()}`;
