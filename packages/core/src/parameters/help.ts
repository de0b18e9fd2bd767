// --help, rendered from the declaration.

import { type Entry, entriesOf } from './names.ts';
import type { Parameters } from './parameter.ts';
import type { Effective } from './resolve.ts';
import { actions, words } from './standard.ts';

type Titled = {
  readonly name: string;
  readonly summary: string;
  readonly words?: Readonly<Record<string, { readonly summary: string }>>;
};

type Section = readonly [title: string, rows: readonly (readonly [name: string, help: string])[]];

type Given = Readonly<Record<string, Pick<Effective, 'value' | 'source'>>>;

/**
 * The text of --help: own parameters first, then the standard ones, then words, and at last what is read by members of
 * families only: by all, or by those in force once a flag chooses any.
 */
export function renderHelp(sidecar: Titled, own: Parameters, standard: Parameters, given: Given = {}): string {
  const ownWords = Object.entries(sidecar.words ?? {}).map(
    ([word, { summary }]) => [word, `${summary} (${word} --help)`] as const,
  );
  const families = familiesOf(own, given);
  const body = layOut([
    ['Parameters', families.general.map(row)],
    ['Every sidecar', entriesOf(standard).map(row)],
    ['Print and exit', Object.entries(actions).map(([flag, help]) => [`--${flag}`, help])],
    ['Words', [...ownWords, ...Object.entries(words)]],
    ...families.sections,
  ]);
  const usage = `Usage: ${sidecar.name} [parameters]\n\n${sidecar.summary}.`;
  const note =
    'Each parameter is also an environment variable (--listen-address is OUTRIGGER_LISTEN_ADDRESS)\nand a key in the config file (listenAddress). A flag wins over the environment, that over the file.';
  return `${[usage, ...body, ...families.note(sidecar.name), note].join('\n\n')}\n`;
}

const sharedNote =
  'What the sidecar has by the same name is read from its environment, annotations and config file, too.';

/** The text of `proxy doctor --help`. */
export function renderWordHelp(
  title: string,
  word: { readonly summary: string; readonly parameters: Parameters },
  given: Given = {},
): string {
  const families = familiesOf(word.parameters, given);
  const body = layOut([
    ['Parameters', families.general.map(row)],
    ['Print and exit', [['--help', actions.help]]],
    ...families.sections,
  ]);
  const usage = `Usage: ${title} [parameters]\n\n${word.summary}.`;
  const sources = word.parameters.config ? [sharedNote] : [];
  return `${[usage, ...body, ...families.note(title), ...sources].join('\n\n')}\n`;
}

/** What everybody reads, and for each family its members, each followed by what it alone reads. */
function familiesOf(parameters: Parameters, given: Given) {
  const entries = entriesOf(parameters);
  const families = entries.filter(({ parameter }) => parameter.members);
  const isNarrow = families.some((family) => given[family.key]?.source.startsWith('--') && chosen(family).length > 0);
  function chosen({ key, parameter }: Entry) {
    const names = [given[key]?.value].flat();
    return Object.entries(parameter.members ?? {}).filter(([name]) => names.includes(name));
  }
  const sections = families.flatMap((family): Section[] => {
    const flag = family.flags[0]!;
    const { members = {}, repeatable } = family.parameter;
    const listed = isNarrow ? chosen(family) : Object.entries(members);
    return [
      [`${flag}, ${repeatable ? 'any' : 'one'} of`, listed.map(([name, { summary }]) => [name, summary])],
      ...listed.map(([name]): Section => {
        const own = entries.filter(({ owner }) => owner?.entry === family && owner.member === name);
        return [`${flag} ${name}`, own.map(row)];
      }),
    ];
  });
  const first = entries.find(({ owner }) => owner)?.owner;
  const note = (title: string): string[] => {
    if (!first) return [];
    if (isNarrow)
      return [`Only what is chosen, or is the default, is listed with its parameters; ${title} --help lists all.`];
    const choice = `${first.entry.flags[0]} ${first.member}`;
    return [`To list the parameters of what you choose alone: ${title} ${choice} --help.`];
  };
  return { general: entries.filter(({ owner }) => !owner), sections, note };
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
