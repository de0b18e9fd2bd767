// The generated tables of a role's README, rendered from its declarations.

import type { Routes } from './admin/route.ts';
import type { ErrorDeclarations } from './errors.ts';
import { type MetricDeclarations, metricName } from './metrics.ts';
import { placeholderOf } from './parameters/help.ts';
import { type Entry, entriesOf } from './parameters/names.ts';
import type { Parameters } from './parameters/parameter.ts';

type Declared = {
  readonly name: string;
  readonly parameters: Parameters;
  readonly metrics?: MetricDeclarations | undefined;
  readonly errors?: ErrorDeclarations | undefined;
  readonly routes?: Routes<never> | undefined;
};

/** Markdown by section: parameters, metrics, errors, api. */
export function renderReference(sidecar: Declared): Readonly<Record<string, string>> {
  return {
    parameters: table(
      ['Flag', 'Value', 'Default', 'Meaning'],
      entriesOf(sidecar.parameters).map((entry) => [
        entry.flags.map((flag) => `\`${flag}\``).join(' '),
        placeholderOf(entry),
        defaultOf(entry),
        `${entry.parameter.help}${entry.parameter.repeatable ? ' (repeatable)' : ''}${entry.parameter.reloadable ? ' (reloadable)' : ''}`,
      ]),
    ),
    metrics: table(
      ['Metric', 'Type', 'Labels', 'Meaning'],
      Object.entries(sidecar.metrics ?? {}).map(([key, metric]) => [
        `\`${metricName(sidecar.name, key, metric)}\``,
        metric.type,
        metric.labels.map((label) => `\`${label}\``).join(' '),
        metric.help,
      ]),
    ),
    errors: table(
      ['Code', 'Message', 'What to do'],
      Object.entries(sidecar.errors ?? {}).map(([code, error]) => [`\`${code}\``, error.message, error.hint]),
    ),
    api: table(
      ['Request', 'Answer'],
      Object.entries(sidecar.routes ?? {}).map(([request, { summary }]) => [`\`${request}\``, summary]),
    ),
  };
}

function defaultOf({ parameter, owner }: Entry): string {
  if (parameter.default !== undefined)
    return [parameter.default]
      .flat()
      .map((written) => `\`${written}\``)
      .join(' ');
  if (parameter.optional) return '';
  return owner ? `required with \`${owner.member}\`` : 'required';
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return 'None.';
  const escaped = (cell: string) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ');
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(escaped).join(' | ')} |`).join('\n');
}
