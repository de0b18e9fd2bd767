// Alerts, dashboard and texts for production speak of what there is: metrics and their labels, parameters and their defaults.

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { sidecar as adapter } from '@outrigger/adapter';
import { sidecar as configReloader } from '@outrigger/config-reloader';
import { sidecar as gitSync } from '@outrigger/git-sync';
import { sidecar as logShipper } from '@outrigger/log-shipper';
import { sidecar as monitor } from '@outrigger/monitor';
import { sidecar as proxy } from '@outrigger/proxy';
import { describe, expect, test } from 'vitest';
import { openMetrics } from '../../packages/core/src/metrics.ts';
import { parseSource } from '../../packages/pod/src/manifest/source.ts';

const sidecars = [adapter, configReloader, gitSync, logShipper, monitor, proxy];
const production = resolve(import.meta.dirname, '../../examples/production');
const read = (file: string) => readFileSync(join(production, file), 'utf8');

type Rule = {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};
const { groups } = parseSource('alerts.yaml', read('alerts.yaml')).documents[0]!.value as {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
};
const alerts = groups.flatMap(({ rules }) => rules);

type Panel = {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
};
const dashboard = JSON.parse(read('dashboard.json')) as {
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: string | { query: string } }[];
  };
};

/** Series by name, with their labels: what each sidecar has of its own and of core, as it is scraped. */
const series = new Map<string, readonly string[]>([
  ['up', []],
  ['ALERTS', ['alertname', 'alertstate']],
  // Only where a route is deprecated.
  ['outrigger_deprecated_requests_total', ['route']],
]);
const build = {
  version: '',
  phase: () => 'serving',
  budget: () => ({ limit: 1, used: 0, shedding: false }),
  loopDelay: () => 0,
};
for (const { name, metrics = {} } of sidecars)
  for (const metric of openMetrics(name, metrics, build).registry.getMetricsAsArray()) {
    const { labelNames = [], type } = metric as unknown as { labelNames?: readonly string[]; type: string };
    if (String(type) !== 'histogram') series.set(metric.name, labelNames);
    else
      for (const part of ['bucket', 'sum', 'count'])
        series.set(`${metric.name}_${part}`, [...labelNames, ...(part === 'bucket' ? ['le'] : [])]);
  }
/** What scrape.yaml gives to every one. */
const given = ['namespace', 'pod', 'container', 'job'];

/** What a query asks for that is not there. */
function strangers(expr: string): string[] {
  const asked = [...expr.matchAll(/\b(up|ALERTS|(?:outrigger|process)_[a-z0-9_]+)\b(?:\{([^}]*)\})?/g)];
  expect(asked.length, expr).toBeGreaterThan(0);
  return asked.flatMap(([, name = '', selector = '']) => {
    const labels = series.get(name);
    if (!labels) return [name];
    const wanted = [...selector.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label!);
    return wanted.filter((label) => ![...labels, ...given].includes(label)).map((label) => `${name}{${label}}`);
  });
}

test('a metric or a label that is not there would be found', () => {
  expect(strangers('outrigger_proxy_request_total')).toEqual(['outrigger_proxy_request_total']);
  expect(strangers('rate(outrigger_proxy_requests_total{status="5xx", pod="x"}[5m])')).toEqual([
    'outrigger_proxy_requests_total{status}',
  ]);
});

describe.each(alerts)('$alert', ({ alert, expr, labels, annotations }) => {
  test('asks for series that there are', () => {
    expect(strangers(expr)).toEqual([]);
  });

  test('says how bad it is, where it is and what to do, by labels that the series have', () => {
    expect(['page', 'ticket']).toContain(labels.severity);
    expect(Object.keys(annotations)).toEqual(['summary', 'runbook']);
    expect(annotations.summary).toContain('{{ $labels.namespace }}/{{ $labels.pod }}');
    const known = [...series].filter(([name]) => expr.includes(name)).flatMap(([, names]) => names);
    for (const [, label] of annotations.summary!.matchAll(/\$labels\.(\w+)/g))
      expect([...known, ...given]).toContain(label);
  });

  test('is put to the test', () => {
    expect(read('alerts.test.yaml')).toMatch(new RegExp(`alertname="${alert}"`));
  });
});

describe('dashboard', () => {
  const { panels, templating } = dashboard;
  const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));

  test.each(queries)('$title asks for series that there are: $expr', ({ expr }) => {
    expect(strangers(expr)).toEqual([]);
    expect(expr).toContain('namespace=~"$namespace", pod=~"$pod"');
  });

  test('choices are made from series that there are', () => {
    for (const { query } of templating.list)
      if (typeof query === 'object') expect(strangers(query.query), query.query).toEqual([]);
  });

  test('every panel has an id of its own and a place of its own', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Map<string, string>();
    for (const { title, type, gridPos, targets = [] } of panels) {
      const { x, y, w, h } = gridPos;
      expect([x >= 0, y >= 0, w > 0, h > 0, x + w <= 24], title).toEqual(Array(5).fill(true));
      for (let column = x; column < x + w; column++)
        for (let line = y; line < y + h; line++) {
          expect(taken.get(`${column},${line}`), title).toBeUndefined();
          taken.set(`${column},${line}`, title);
        }
      expect(targets.length > 0, title).toBe(type !== 'row');
      expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
    }
  });

  test('every role and every kind of its metrics that an alert looks at can be seen', () => {
    const shown = queries.map(({ expr }) => expr).join('\n');
    for (const { name } of sidecars) expect(shown).toContain(`outrigger_${name.replaceAll('-', '_')}_`);
  });
});

describe('README.md and runbooks', () => {
  const readmes = new Map(
    sidecars.map(({ name }) => [name, readFileSync(resolve(production, `../../packages/${name}/README.md`), 'utf8')]),
  );
  const core = readFileSync(resolve(production, '../../packages/core/README.md'), 'utf8');
  const standard = JSON.parse(readFileSync(resolve(production, '../../packages/proxy/parameters.schema.json'), 'utf8'));
  /** As the role's own table has it: `| `--period` | duration | `10s` | ...`, where a type may hold escaped bars. */
  function defaultOf(role: string, flag: string): string | undefined {
    if (role === 'all') {
      const key = flag.slice(2).replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
      return `\`${standard.properties[key].default}\``;
    }
    const row = new RegExp(`^\\| \`${flag}\` \\|(?:\\\\.|[^|])*\\| *(.*?) *\\|`, 'm');
    return row.exec(readmes.get(role)!)?.[1];
  }
  const tuned = [...read('README.md').matchAll(/^\| ([\w-]+) \| `(--[\w-]+)` \| (\S+) \|/gm)];

  test('every parameter to tune is one of its role, with its default', () => {
    expect(tuned.length).toBeGreaterThan(15);
    for (const [, role = '', flag = '', value] of tuned)
      expect([role, flag, defaultOf(role, flag) || 'none']).toEqual([role, flag, value]);
  });

  test('every parameter that is named is a parameter of some role', () => {
    const texts = [read('README.md'), ...alerts.map(({ annotations }) => annotations.runbook!)].join('\n');
    const all = [...readmes.values(), core].join('\n');
    for (const [flag] of texts.matchAll(/(?<![\w-])--[a-z][\w-]+/g))
      if (flag !== '--previous') expect(all).toMatch(new RegExp(`${flag}\\b`));
  });

  test('every alert and metric that is named is there', () => {
    const text = read('README.md');
    for (const [name] of text.matchAll(/\bOutrigger[A-Z]\w+/g))
      expect(alerts.map(({ alert }) => alert)).toContain(name);
    for (const [name] of [...text, ...alerts.map(({ annotations }) => annotations.runbook!)]
      .join('')
      .matchAll(/\boutrigger_\w+/g))
      expect(series.has(name), name).toBe(true);
  });
});
