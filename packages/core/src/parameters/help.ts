// --help, rendered from the declaration.

import { type Entry, entriesOf } from './names.ts';
import type { Parameters } from './parameter.ts';
import { actions, words } from './standard.ts';

type Titled = { readonly name: string; readonly summary: string };

/** The text of --help: own parameters first, then the standard ones, then words. */
export function renderHelp(sidecar: Titled, own: Parameters, standard: Parameters): string {
  const sections = [
    ['Parameters', entriesOf(own).map(row)],
    ['Every sidecar', entriesOf(standard).map(row)],
    ['Print and exit', Object.entries(actions).map(([flag, help]) => [`--${flag}`, help])],
    ['Words', Object.entries(words)],
  ] as const;
  const width = Math.min(44, Math.max(...sections.flatMap(([, rows]) => rows.map(([name]) => name!.length))));
  const body = sections
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) => [`${title}:`, ...rows.map(([name, help]) => line(name!, help!, width))].join('\n'));
  const usage = `Usage: ${sidecar.name} [parameters]\n\n${sidecar.summary}.`;
  const note =
    'Each parameter is also an environment variable (--listen-address is OUTRIGGER_LISTEN_ADDRESS)\nand a key in the config file (listenAddress). A flag wins over the environment, that over the file.';
  return `${[usage, ...body, note].join('\n\n')}\n`;
}

const line = (name: string, help: string, width: number) =>
  name.length > width ? `  ${name}\n  ${''.padEnd(width)}  ${help}` : `  ${name.padEnd(width)}  ${help}`;

function row(entry: Entry): [string, string] {
  const { parameter, flags } = entry;
  const placeholder = parameter.flagOnly ? '' : ` <${placeholderOf(entry)}>`;
  return [`${flags[0]}${placeholder}`, `${parameter.help}${remarks(entry)}`];
}

export const placeholderOf = ({ parameter }: Entry) => (parameter.secret ? 'path' : parameter.kind);

/** Why it is given no more, if it is not. */
export const deprecatedOf = ({ parameter: { deprecated } }: Entry) =>
  typeof deprecated === 'string' ? `deprecated: ${deprecated}` : '';

function remarks(entry: Entry): string {
  const { parameter, flags, owner } = entry;
  const { default: written } = parameter;
  const notes = [
    deprecatedOf(entry),
    written !== undefined && written.length > 0 ? `default ${[written].flat().join(', ')}` : '',
    !parameter.optional && written === undefined ? (owner ? `required with ${owner.member}` : 'required') : '',
    parameter.repeatable ? 'repeatable' : '',
    parameter.reloadable ? 'reloadable' : '',
    parameter.nested ? `or ${entry.key}: in the config file` : '',
    flags.length > 1 ? `also ${flags.slice(1).join(', ')}` : '',
  ].filter(Boolean);
  return notes.length > 0 ? ` (${notes.join('; ')})` : '';
}
