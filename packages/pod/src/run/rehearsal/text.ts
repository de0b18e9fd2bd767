// The report as tables for people.

import { formatDuration } from '@outrigger/core';
import type { PhaseRow } from './load.ts';
import type { Moment, Report } from './report.ts';

export function reportText({
  pod,
  gracePeriod,
  took,
  timeLine,
  traffic,
  troubles,
  lost,
  warnings,
  orderly,
}: Report): string {
  const blocks = [
    `${pod} was ended with a grace period of ${formatDuration(gracePeriod * 1000)}: it took ${took.toFixed(3)} s`,
    timeTable(timeLine),
    ...(traffic ? [`Requests for ${traffic.url}, by when they were sent:\n\n${trafficTable(traffic.phases)}`] : []),
    ...section('Out of order', troubles),
    ...section(
      'Lost',
      lost.map(
        ({ container, count, unit, text }) =>
          `${container}: ${count} ${count === 1 ? unit.slice(0, -1) : unit} ${text}`,
      ),
    ),
    ...section(
      'Warnings',
      warnings.map(({ rule, message }) => `${rule}: ${message}`),
    ),
    ...(orderly ? ['Nothing was lost, and all ended in order'] : lost.length === 0 ? ['Nothing was lost'] : []),
  ];
  return `${blocks.join('\n\n')}\n`;
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`${title}:\n${lines.map((line) => `  ${line.replaceAll('\n', '\n    ')}`).join('\n')}`];

const timeTable = (moments: readonly Moment[]): string =>
  table(
    ['at', 'container', 'what', 'took'],
    moments.map(({ at, container, event, took }) => [
      `${at.toFixed(3)} s`,
      container,
      event,
      took === undefined ? '' : `${took.toFixed(3)} s`,
    ]),
    [0, 3],
  );

const counted = ['sent', 'answered', 'refused', 'failed', 'lost'] as const;

const trafficTable = (phases: readonly PhaseRow[]): string =>
  table(
    ['', ...counted, ''],
    phases.map((row) => [row.phase, ...counted.map((column) => String(row[column])), reasonsIn(row)]),
    [1, 2, 3, 4, 5],
  );

const reasonsIn = ({ reasons }: PhaseRow): string =>
  Object.entries(reasons)
    .map(([reason, count]) => `${count} ${reason}`)
    .join(', ');

/** @param numeric the columns that are aligned on the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[], numeric: readonly number[]): string {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const cell = (text: string, column: number) =>
    numeric.includes(column) ? text.padStart(widths[column]!) : text.padEnd(widths[column]!);
  return lines.map((line) => `  ${line.map(cell).join('  ')}`.trimEnd()).join('\n');
}
