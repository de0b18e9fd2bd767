// --help, rendered from the declaration.

import { type Entry, entriesOf } from './names.ts';
import type { Parameters } from './parameter.ts';
import { actions, words } from './standard.ts';

type Titled = {
  readonly name: string;
  readonly summary: string;
  readonly words?: Readonly<Record<string, { readonly summary: string }>>;
};

type Section = readonly [title: string, rows: readonly (readonly [name: string, help: string])[]];

/** The text of --help: own parameters first, then the standard ones, then words. */
export function renderHelp(sidecar: Titled, own: Parameters, standard: Parameters): string {
  const ownWords = Object.entries(sidecar.words ?? {}).map(
    ([word, { summary }]) => [word, `${summary} (${word} --help)`] as const,
  );
  const body = layOut([
    ['Parameters', entriesOf(own).map(row)],
    ['Every sidecar', entriesOf(standard).map(row)],
    ['Print and exit', Object.entries(actions).map(([flag, help]) => [`--${flag}`, help])],
    ['Words', [...ownWords, ...Object.entries(words)]],
  ]);
  const usage = `Usage: ${sidecar.name} [parameters]\n\n${sidecar.summary}.`;
  const note =
    'Each parameter is also an environment variable (--listen-address is OUTRIGGER_LISTEN_ADDRESS)\nand a key in the config file (listenAddress). A flag wins over the environment, that over the file.';
  return `${[usage, ...body, note].join('\n\n')}\n`;
}

/** The text of `proxy doctor --help`. */
export function renderWordHelp(
  title: string,
  word: { readonly summary: string; readonly parameters: Parameters },
): string {
  const body = layOut([
    ['Parameters', entriesOf(word.parameters).map(row)],
    ['Print and exit', [['--help', actions.help]]],
  ]);
  return `${[`Usage: ${title} [parameters]\n\n${word.summary}.`, ...body].join('\n\n')}\n`;
}

/** One text for each section that is not empty, all aligned. */
function layOut(sections: readonly Section[]): string[] {
  const width = Math.min(44, Math.max(...sections.flatMap(([, rows]) => rows.map(([name]) => name.length))));
  return sections
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) => [`${title}:`, ...rows.map(([name, help]) => line(name, help, width))].join('\n'));
}

const line = (name: string, help: string, width: number) =>
  name.length > width ? `  ${name}\n  ${''.padEnd(width)}  ${help}` : `  ${name.padEnd(width)}  ${help}`;

function row(entry: Entry): [string, string] {
  const { parameter, flags } = entry;
  const valueName = parameter.flagOnly ? '' : ` <${valueNameOf(entry)}>`;
  return [`${flags[0]}${valueName}`, `${parameter.help}${remarks(entry)}`];
}

export const valueNameOf = ({ parameter }: Entry) => (parameter.secret ? 'path' : parameter.kind);

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
