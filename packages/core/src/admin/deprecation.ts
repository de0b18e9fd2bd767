// Routes that go one day say so: in headers (RFC 9745, RFC 8594), in a metric, and once in the log.

import { Counter, type Registry } from 'prom-client';
import type { Log } from '../log.ts';
import type { Deprecation, Routes } from './route.ts';

/** `Deprecation`, `Sunset` and `Link` of every answer of such a route. Throws for a date that is none. */
export function deprecationHeaders({ since, sunset, successor, see }: Deprecation): Record<string, string> {
  const links = [
    see === undefined ? undefined : `<${see}>; rel="deprecation"; type="text/html"`,
    successor === undefined ? undefined : `<${successor}>; rel="successor-version"`,
  ].filter((link) => link !== undefined);
  return {
    deprecation: `@${dateOf(since).getTime() / 1000}`,
    ...(sunset !== undefined && { sunset: dateOf(sunset).toUTCString() }),
    ...(links.length > 0 && { link: links.join(', ') }),
  };
}

function dateOf(written: string): Date {
  const date = new Date(written);
  if (!/^\d{4}-\d\d-\d\d/.test(written) || Number.isNaN(date.getTime()))
    throw new RangeError(`"${written}" is no ISO date such as 2026-11-01`);
  date.setUTCMilliseconds(0);
  return date;
}

/** Who still uses what goes. */
export class DeprecatedUse {
  readonly #requests: Counter<'route'> | undefined;
  readonly #log: Log;
  readonly #said = new Set<string>();

  constructor(routes: Routes<never>, { registry, log }: { registry: Registry; log: Log }) {
    this.#log = log;
    const deprecated = Object.keys(routes).filter((request) => routes[request]?.deprecated);
    if (deprecated.length === 0) return;
    this.#requests = new Counter({
      name: 'outrigger_deprecated_requests_total',
      help: 'Requests to routes of the API that will go',
      labelNames: ['route'],
      registers: [registry],
    });
    for (const route of deprecated) this.#requests.inc({ route }, 0);
  }

  count(route: string, { sunset, successor }: Deprecation): void {
    this.#requests?.inc({ route });
    if (this.#said.has(route)) return;
    this.#said.add(route);
    this.#log.warn('A deprecated route of the API is in use', { route, sunset, successor });
  }
}
