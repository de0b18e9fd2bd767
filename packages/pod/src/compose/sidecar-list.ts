// The list of sidecars: from its text to what is known of each sidecar, or everything that is wrong with it at once.

import {
  allParameters,
  findingsOf,
  formatProblem,
  kebab,
  type Parameters,
  type Problem,
  parseStructure,
  type Structure,
} from '@outrigger/core';
import { argumentsOf } from '@outrigger/core/documents';
import manifest from '../../package.json' with { type: 'json' };
import type { Finding } from '../check/check.ts';
import type { Severity } from '../check/rule.ts';
import { formatPath, isObject, type Path } from '../manifest/path.ts';
import type { Position } from '../manifest/source.ts';
import { declarationOf, type Role, roleOf, roles } from '../manifest/toolkit.ts';
import { listSchema, type WrittenList, type WrittenSidecar } from './list-schema.ts';
import { presets } from './presets.ts';

export type ListedSidecar = {
  readonly name: string;
  readonly role: Role | undefined;
  readonly image: string;
  /** `--name=value`, but for what composition adds. */
  readonly args: readonly string[];
  /** By the role's declaration, defaults too; those of another image as they are written. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Parameters that the list says something about. */
  readonly given: ReadonlySet<string>;
  readonly written: WrittenSidecar;
};

export type SidecarList = {
  /** Where it is from, for messages. */
  readonly file: string;
  readonly text: string;
  readonly sidecars: readonly ListedSidecar[];
  /** What was written, as plain values. */
  readonly written: WrittenList;
  readonly findings: readonly Finding[];
  /** Of what the path leads to, or of the closest thing around it. */
  position(path: Path): Position;
};

/**
 * With an error among the findings there are no sidecars.
 * @param locate where a place in the text is in the file
 */
export async function readList(
  file: string,
  text: string,
  locate: (position: Position) => Position = (position) => position,
): Promise<SidecarList> {
  const list = await readText(file, text);
  return {
    ...list,
    findings: list.findings.map((each) => ({ ...each, ...locate(each) })),
    position: (path) => locate(list.position(path)),
  };
}

async function readText(file: string, text: string): Promise<SidecarList> {
  const parsed = await parseStructure(file, text);
  if (!('structure' in parsed))
    return emptyList(
      file,
      text,
      parsed.problems.map(({ place, message }) => finding(file, { place, message })),
    );
  const { structure } = parsed;
  const written = structure.root.value;
  const accepted = listSchema.safeParse(written);
  if (!accepted.success) {
    const wrong = findingsOf(accepted.error, listSchema, written).map(({ path, message, key }) =>
      finding(file, { place: structure.place(path, key ? 'key' : 'value'), path, message }),
    );
    return emptyList(file, text, [...wrong, ...(await parameterFindings(written, structure))]);
  }
  const read = await Promise.all(
    accepted.data.sidecars.map((sidecar, index) => readSidecar(sidecar, { index, list: accepted.data, structure })),
  );
  const findings = [...read.flatMap((each) => each.findings), ...takenNames(read, structure)];
  const wrong = findings.some(({ severity }) => severity === 'error');
  return {
    file,
    text,
    sidecars: wrong ? [] : read.map(({ sidecar }) => sidecar),
    written: accepted.data,
    findings,
    position: (path) => positionIn(structure.place(path)),
  };
}

/** Of what has the wrong shape elsewhere, as far as its role is known. */
async function parameterFindings(written: unknown, structure: Structure): Promise<Finding[]> {
  const sidecars: unknown = isObject(written) ? written.sidecars : undefined;
  const read = (Array.isArray(sidecars) ? sidecars : []).map(async (sidecar: unknown, index) => {
    if (!isObject(sidecar) || !isObject(sidecar.parameters ?? {}) || !roles.some((role) => role === sidecar.role))
      return [];
    const list = { sidecars: [] };
    return (await readSidecar(sidecar as WrittenSidecar, { index, list, structure })).findings;
  });
  return (await Promise.all(read)).flat();
}

const emptyList = (file: string, text: string, findings: readonly Finding[]): SidecarList => ({
  file,
  text,
  sidecars: [],
  written: { sidecars: [] },
  findings,
  position: () => ({ line: 1, column: 1 }),
});

type Wrong = {
  /** `sidecars.yaml:4:7` */
  readonly place: string;
  readonly path?: Path;
  readonly message: string;
  readonly severity?: Severity;
};

const finding = (file: string, { place, path = [], message, severity = 'error' }: Wrong): Finding => ({
  ...positionIn(place),
  severity,
  rule: 'sidecars',
  file,
  path: formatPath(path),
  message,
});

function positionIn(place: string): Position {
  const [, line = '1', column = '1'] = /:(\d+):(\d+)$/.exec(place) ?? [];
  return { line: Number(line), column: Number(column) };
}

type Read = { readonly sidecar: ListedSidecar; readonly findings: readonly Finding[] };
type Around = { readonly index: number; readonly list: WrittenList; readonly structure: Structure };

async function readSidecar(written: WrittenSidecar, { index, list, structure }: Around): Promise<Read> {
  const path = ['sidecars', index];
  const role = written.role ?? roleOf(written.image);
  const say = ({ place, path: at = path, message, severity }: Partial<Wrong> & Pick<Wrong, 'message'>) =>
    finding(structure.file, { place: place ?? structure.place(at), path: at, message, ...(severity && { severity }) });
  const named = new Set(Object.keys(written.parameters ?? {}));
  const given = role
    ? await declaredParameters(role, named, { structure, path, say })
    : otherParameters(written.parameters ?? {}, [...path, 'parameters'], say);
  return {
    sidecar: {
      name: written.name ?? role ?? '',
      role,
      image: written.image ?? imageOf(role!, list),
      args: given.argv.map(literal),
      values: given.values,
      given: named,
      written,
    },
    findings: given.findings,
  };
}

type Say = (wrong: Partial<Wrong> & Pick<Wrong, 'message'>) => Finding;
type Judging = { readonly structure: Structure; readonly path: Path; readonly say: Say };
type Given = Pick<ListedSidecar, 'values'> & {
  readonly argv: readonly string[];
  readonly findings: readonly Finding[];
};

async function declaredParameters(
  role: Role,
  given: ReadonlySet<string>,
  { structure, path, say }: Judging,
): Promise<Given> {
  const at = [...path, 'parameters'];
  const declared: Parameters = allParameters(await declarationOf(role));
  const defaults = Object.entries(presets[role].defaults ?? {}).filter(([key]) => !given.has(key));
  const changed = defaults.map(([key, written]) => [key, { ...declared[key]!, default: written }] as const);
  const parameters = { ...declared, ...Object.fromEntries(changed) };
  const { argv, values, problems, warnings } = argumentsOf(parameters, structure, at);
  return {
    argv: [...argv, ...defaults.map(([key, written]) => `--${kebab(key)}=${written}`)],
    values,
    findings: [
      ...problems.map((problem) =>
        say({ ...(problem.source && { place: problem.source }), path: at, message: text(problem) }),
      ),
      ...warnings.map((message) => say({ path: at, message, severity: 'warning' })),
    ],
  };
}

const text = (problem: Problem) => `${problem.parameter} ${formatProblem({ ...problem, source: undefined })}`;

/** Of a sidecar that no declaration is here for: names and values are written as all sidecars have them. */
function otherParameters(written: Readonly<Record<string, unknown>>, path: Path, say: Say): Given {
  const findings: Finding[] = [];
  const argv = Object.keys(written)
    .toSorted()
    .flatMap((key) => {
      const words = wordsOf(written[key]);
      if (!words)
        findings.push(say({ path: [...path, key], message: 'a value, a list or a mapping of values is expected' }));
      return (words ?? []).map((word) => `--${kebab(key)}=${word}`);
    });
  return { argv, values: written, findings };
}

function wordsOf(value: unknown): string[] | undefined {
  if (!isObject(value)) return value === null || value === undefined ? undefined : [String(value)];
  const list = Array.isArray(value);
  const keys = Object.keys(value);
  const items = list ? value : keys.toSorted().map((key) => value[key]);
  if (items.length === 0 || items.some((item) => isObject(item) || item === null)) return undefined;
  return list ? items.map(String) : keys.toSorted().map((key) => `${key}=${value[key]}`);
}

/** Kubernetes replaces $(NAME) in arguments. */
const literal = (word: string) => word.replaceAll('$(', '$$$$(');

function imageOf(role: Role, { image }: WrittenList): string {
  const { registry = '', tag = manifest.version } = image ?? {};
  return `${registry && `${registry.replace(/\/$/, '')}/`}outrigger/${role}:${tag}`;
}

function takenNames(read: readonly Read[], structure: Structure): Finding[] {
  const names = read.map(({ sidecar }) => sidecar.name);
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    if (first === index) return [];
    const path = ['sidecars', index, 'name'];
    const other = structure.place(['sidecars', first]).replace(/^.*?:(?=\d+:\d+$)/, '');
    const message = `"${name}" is the name of the sidecar at ${other}, too; give one of them another name`;
    return [finding(structure.file, { place: structure.place(path), path, message })];
  });
}
