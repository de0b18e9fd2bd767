// Results as Markdown.

import { spawnSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { heading } from '../measure.ts';
import { columns, figureOf, type Key, type Rounds, ratioOf } from './figures.ts';
import { cores } from './machine.ts';
import type { Bench } from './measured.ts';
import type { Scenario } from './scenarios.ts';
import { ownName, type Subject } from './subjects.ts';
import { verdicts } from './targets.ts';

const generators = [
  { name: 'wrk', version: ['wrk', '-v'] },
  { name: 'h2load', version: ['h2load', '--version'] },
  { name: 'openssl', version: ['openssl', 'version'] },
] as const;

const ratios = ['cpu', 'rate'] as const;

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  row(head) + row(head.map(() => '---')) + rows.map(row).join('');

export function printMachine({ rounds, span }: Bench, subjects: readonly Subject[]): void {
  const versions = [...subjects, ...generators].map(({ name, version }) => `${name} ${versionOf(version)}`);
  print(
    heading(`Proxies side by side, by turns, rounds: ${rounds}, seconds: ${span.counted}`) +
      `${versions.join(', ')}. ${cpus()[0]?.model}: the proxy on core ${cores.proxy}, application and load on ${cores.load}; load average before: ${loadavg()[0]?.toFixed(2)}.\n` +
      'Medians; ratios are ours divided by theirs, of each round. CPU counts only while the load is even.\n\n',
  );
}

/** The first number with a point in what it prints, wherever it prints it. */
function versionOf([program, ...args]: readonly [string, ...string[]]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
  return /\d+(\.\d+)+/.exec(`${stdout}${stderr}`)?.[0] ?? 'of unknown version';
}

export function printScenario({ name, title }: Scenario, rounds: Rounds, left: readonly string[]): void {
  const names = [...rounds.keys()];
  const isMeasured = (key: Key) => names.some((each) => figureOf(rounds, each, key) !== undefined);
  const keys = (Object.keys(columns) as Key[]).filter(isMeasured);
  const compared = ratios.filter((key) => keys.includes(key));
  const figure = (each: string, key: Key) => figureOf(rounds, each, key)?.toFixed(columns[key].digits) ?? '';
  const ratio = (each: string, key: Key) =>
    each === ownName ? '' : (ratioOf(rounds, ownName, each, key)?.toFixed(2) ?? '');
  const rows = names.map((each) => [
    each,
    ...keys.map((key) => figure(each, key)),
    ...compared.map((key) => ratio(each, key)),
  ]);
  const head = [
    '',
    ...keys.map((key) => columns[key].head),
    ...compared.map((key) => `ours / theirs: ${columns[key].head}`),
  ];
  const without = left.length > 0 ? `\nCannot do it: ${left.join(', ')}.\n` : '';
  print(`${title} (\`${name}\`):\n\n${table(head, rows)}${without}\n`);
}

export function printVerdicts(results: ReadonlyMap<string, Rounds>): void {
  const lines = verdicts(results);
  const head = '| scenario | what | measured | wanted | |\n| --- | --- | --- | --- | --- |\n';
  if (lines.length > 0) print(`Targets:\n\n${head}${lines.join('\n')}\n\n`);
}

export function print(text: string): void {
  process.stdout.write(text);
}
