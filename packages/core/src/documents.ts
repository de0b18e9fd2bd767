// The documents of a role that are rendered from its declarations: README tables, OpenAPI, JSON Schema; and command lines.

import { renderOpenApi } from './admin/openapi.ts';
import { declarations } from './errors.ts';
import { metricName } from './metrics.ts';
import { deprecatedOf, valueNameOf } from './parameters/help.ts';
import { type Entry, entriesOf } from './parameters/names.ts';
import { allParameters } from './parameters/open-parameters.ts';
import type { Parameters } from './parameters/parameter.ts';
import { renderSchema } from './parameters/schema.ts';
import type { AnySidecar } from './sidecar.ts';

export { incompatibilities } from './admin/compatibility.ts';
export { renderLabels } from './image-labels.ts';
export { argumentsOf } from './parameters/as-arguments.ts';

/** File name to content. `readme` is the current one: only what stands between its markers changes. */
export function renderDocuments(sidecar: AnySidecar, readme: string): Readonly<Record<string, string>> {
  return {
    'README.md': fillSections(readme, renderTables(sidecar)),
    'openapi.json': pretty(renderOpenApi(sidecar)),
    'parameters.schema.json': pretty(renderSchema(`outrigger ${sidecar.name}`, allParameters(sidecar))),
  };
}

const pretty = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/** `<!-- generated:parameters -->` ... `<!-- /generated -->` */
function fillSections(readme: string, sections: Readonly<Record<string, string>>): string {
  return readme.replace(
    /(<!-- generated:(\w+) -->\n)[\s\S]*?(<!-- \/generated -->)/g,
    (whole, open: string, name: string, close: string) =>
      sections[name] === undefined ? whole : `${open}\n${sections[name]}\n\n${close}`,
  );
}

/** Markdown by section: parameters, words, metrics, errors, api. */
function renderTables({ name, ...sidecar }: AnySidecar): Readonly<Record<string, string>> {
  return {
    parameters: parameterTable(sidecar.parameters),
    words:
      Object.entries(sidecar.words ?? {})
        .map(([word, { summary, parameters }]) => `\`${word}\`: ${summary}.\n\n${parameterTable(parameters)}`)
        .join('\n\n') || 'None.',
    metrics: table(
      ['Metric', 'Type', 'Labels', 'Meaning'],
      Object.entries(sidecar.metrics ?? {}).map(([key, metric]) => [
        `\`${metricName(name, key, metric)}\``,
        metric.type,
        metric.labels.map((label) => `\`${label}\``).join(' '),
        metric.help,
      ]),
    ),
    errors: table(
      ['Code', 'Message', 'What to do'],
      Object.entries(sidecar.errors?.[declarations] ?? {}).map(([code, error]) => [
        `\`${code}\``,
        error.message,
        error.hint,
      ]),
    ),
    api: table(
      ['Request', 'Answer'],
      Object.entries(sidecar.routes ?? {}).map(([request, { summary, deprecated }]) => [
        `\`${request}\``,
        `${summary}${deprecated ? ' (deprecated)' : ''}`,
      ]),
    ),
  };
}

const parameterTable = (parameters: Parameters) =>
  table(
    ['Flag', 'Value', 'Default', 'Meaning'],
    entriesOf(parameters).map((entry) => [
      entry.flags.map((flag) => `\`${flag}\``).join(' '),
      valueNameOf(entry),
      defaultOf(entry),
      `${entry.parameter.help}${marksOf(entry)}`,
    ]),
  );

function marksOf(entry: Entry): string {
  const { repeatable, reloadable, nested } = entry.parameter;
  const marks = [
    repeatable ? 'repeatable' : '',
    reloadable ? 'reloadable' : '',
    nested ? `or \`${entry.key}:\` in the config file` : '',
    deprecatedOf(entry),
  ];
  return marks.map((mark) => mark && ` (${mark})`).join('');
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
