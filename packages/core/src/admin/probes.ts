// /livez, /readyz, /startupz: the status is for machines, the text for people.

import type { HttpBindings } from '@hono/node-server';
import type { Context, Hono } from 'hono';
import type { Health, Probe, Result } from '../health.ts';

const paths: Readonly<Record<string, Probe>> = {
  '/livez': 'livez',
  '/healthz': 'livez',
  '/readyz': 'readyz',
  '/startupz': 'startupz',
};

export function serveProbes(app: Hono<{ Bindings: HttpBindings }>, health: Health): void {
  for (const [path, probe] of Object.entries(paths)) {
    app.get(path, (context) => answer(context, path.slice(1), health.results(probe)));
    app.get(`${path}/:name`, (context) => {
      const name = context.req.param('name');
      const found = health.results(probe).filter((result) => result.name === name);
      return found.length === 0
        ? context.text(`no check is named "${name}"\n`, 404)
        : answer(context, path.slice(1), found);
    });
  }
}

function answer(context: Context, probe: string, results: readonly Result[]): Response {
  const excluded = new Set(context.req.queries('exclude') ?? []);
  const counted = results.filter(({ name }) => !excluded.has(name));
  const failed = counted.filter(({ reason }) => reason !== undefined);
  const status = failed.length > 0 ? 503 : 200;
  const verbose = context.req.query('verbose') !== undefined && context.req.query('verbose') !== 'false';
  context.header('cache-control', 'no-store');
  if (!verbose && status === 200) return context.text('ok\n');
  const lines = (verbose ? counted : failed).map(line);
  return context.text(`${[...lines, `${probe} check ${status === 200 ? 'passed' : 'failed'}`].join('\n')}\n`, status);
}

const line = ({ name, reason, since }: Result) =>
  reason === undefined
    ? `[+]${name} ok`
    : `[-]${name} failed: ${reason.replace(/\s+/g, ' ')} since ${since.toISOString()}`;
