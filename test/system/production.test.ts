// Alerts and dashboard of examples/production, as Prometheus and Grafana read them.

import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { scratch } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';

const root = resolve(import.meta.dirname, '../..');
const production = join(root, 'examples/production');
// Types and enumerations, and nothing that they depend on.
const grafana = '@grafana/schema@13.2.3';

type Panel = { readonly title: string; readonly targets?: readonly { readonly expr: string }[] };
const dashboard = JSON.parse(readFileSync(join(production, 'dashboard.json'), 'utf8'));

const promtool = (...words: string[]) =>
  execFileSync('promtool', words, { cwd: production, encoding: 'utf8', stdio: 'pipe' });

test('promtool takes the rules, and each alert fires where it should and nowhere else', () => {
  expect(promtool('check', 'rules', '--lint=all', '--lint-fatal', 'alerts.yaml')).toMatch(/SUCCESS: \d+ rules found/);
  expect(promtool('test', 'rules', 'alerts.test.yaml')).toContain('SUCCESS');
});

test('every query of the dashboard is one that Prometheus understands', async () => {
  await using directory = await scratch();
  const queries = (dashboard.panels as Panel[]).flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ title, expr })),
  );
  expect(queries.length).toBeGreaterThan(30);
  // What Grafana fills in.
  const filled = (expr: string) => expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(namespace|pod)/g, '.*');
  const rules = queries.map(({ expr }, index) => ({ record: `query:${index}`, expr: filled(expr) }));
  const file = directory.join('queries.yaml');
  writeFileSync(file, stringify({ groups: [{ name: 'dashboard', rules }] }));
  expect(promtool('check', 'rules', file)).toContain(`SUCCESS: ${queries.length} rules found`);
});

test('the dashboard is one that Grafana declares', async () => {
  await using directory = await scratch();
  const run = (program: string, words: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(program, words, { cwd: directory.path, encoding: 'utf8' });
    expect(status, stdout + stderr).toBe(0);
  };
  writeFileSync(directory.join('package.json'), '{ "private": true }');
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', grafana]);
  // Written as a literal, so that a field that Grafana does not know is an error, too.
  const literal = JSON.stringify(dashboard, null, 1)
    .replaceAll('"mode": "absolute"', '"mode": ThresholdsMode.Absolute')
    .replaceAll('"mode": "thresholds"', '"mode": FieldColorModeId.Thresholds');
  writeFileSync(
    directory.join('dashboard.ts'),
    `import { type Dashboard, FieldColorModeId, ThresholdsMode } from '@grafana/schema';
export const dashboard: Dashboard = ${literal};
export const modes = [FieldColorModeId.Thresholds, ThresholdsMode.Absolute];
// @ts-expect-error where a panel is, is four numbers
export const wrong: Dashboard['panels'] = [{ type: 'stat', gridPos: { x: 0, y: 0, w: '4', h: 4 } }];
`,
  );
  const options = ['--strict', '--skipLibCheck', '--module', 'esnext', '--moduleResolution', 'bundler'];
  const tsc = join(root, 'node_modules/.bin/tsc');
  run(tsc, ['--noEmit', ...options, '--target', 'esnext', '--types', '', 'dashboard.ts']);
});
