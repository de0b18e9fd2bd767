// From the text of a manifest and a list of sidecars to the composed text, and back.

import { isScalar } from 'yaml';
import type { Finding } from '../check/check.ts';
import { type Objects, openManifest } from '../manifest/manifest.ts';
import { formatPath, type Path } from '../manifest/path.ts';
import { type Position, parseSource, type Source } from '../manifest/source.ts';
import { inTemplate, type WorkloadKind } from '../manifest/workload.ts';
import type { Addition } from './addition.ts';
import { type Conflict, composition } from './composition.ts';
import { addTo, takeFrom } from './edit/edit.ts';
import { EditError } from './edit/error.ts';
import { findWorkload, type Workload, workloadOf } from './find-workload.ts';
import { judgeComposed, judgeSchema, type Written } from './judge.ts';
import { readList, type SidecarList } from './sidecar-list.ts';
import { annotation, annotationOf, annotationsPath, listName, stamp, stampName, stampOf } from './stamp.ts';

export type Manifest = { readonly file: string; readonly text: string };

export type Composed = {
  readonly text: string;
  /** Without anything that compose added. */
  readonly original: Workload;
  /** Those of the same file. */
  readonly objects: Objects;
  readonly additions: readonly Addition[];
  readonly findings: readonly Finding[];
};

/** What stands in the way, errors and warnings, or why nothing can be said at all. */
export type Refused = { readonly refused: readonly (Finding | string)[] };

type Wanted = {
  /** `Deployment/web`; default: the only one. */
  readonly workload: string | undefined;
  /** Default: the workload's annotation. */
  readonly list?: Manifest | undefined;
};

/** With the same list and version, the composed text of a composed text is that text. */
export async function compose(manifest: Manifest, wanted: Wanted): Promise<Composed | Refused> {
  const given = open(manifest, wanted.workload);
  if ('refused' in given) return given;
  const { source, workload } = given;
  const before = decompose(given);
  if ('refused' in before) return before;
  const wrong = await judgeSchema(workload.document, manifest.file);
  if (wrong.length > 0) return { refused: wrong };

  const listed = listOf(given, before, wanted.list);
  if ('refused' in listed) return listed;
  const list = await readList(listed.file, listed.text, listed.locate);
  if (list.sidecars.length === 0) return { refused: list.findings };
  const written = { source, document: workload.document, list };
  const { additions, conflicts } = composition(before.workload.value, list.sidecars);
  if (conflicts.length > 0) return { refused: conflicts.map((each) => findingOf(each, written, workload.kind)) };

  const kept = listed.annotate ? [annotation(workload.kind, listName, list.text)] : [];
  const made = write(before, [...additions, ...kept], list);
  if ('refused' in made) return made;
  const composed = parseSource(manifest.file, made.text);
  const found = await judgeComposed(composed, workload.document.index, written);
  const findings = [...before.findings, ...list.findings, ...found];
  if (found.some(({ severity }) => severity === 'error')) return { refused: findings };
  const objects = openManifest(before.source, before.workload.document);
  return { text: made.text, original: before.workload, objects, additions: made.additions, findings };
}

export type Removed = { readonly text: string; readonly findings: readonly Finding[]; readonly composed: boolean };

/** The text as it was before it was composed. */
export function remove(manifest: Manifest, workload: string | undefined): Removed | Refused {
  const given = open(manifest, workload);
  if ('refused' in given) return given;
  const before = decompose(given);
  if ('refused' in before) return before;
  const { text, findings } = before;
  return { text, findings, composed: stampOf(given.workload.kind, given.workload.value) !== undefined };
}

type Open = Manifest & { readonly source: Source; readonly workload: Workload };

function open({ file, text }: Manifest, wanted: string | undefined): Open | Refused {
  const source = parseSource(file, text);
  if (source.problems.length > 0)
    return {
      refused: source.problems.map((problem) => ({ ...problem, severity: 'error', rule: 'yaml', file, path: '' })),
    };
  const workload = findWorkload(source, wanted);
  return typeof workload === 'string' ? { refused: [workload] } : { file, text, source, workload };
}

type Before = Open & { readonly findings: readonly Finding[] };

/** Without what compose added. */
function decompose(given: Open): Before | Refused {
  const { file, text, workload } = given;
  const { kind, document, value } = workload;
  const stamped = stampOf(kind, value);
  if (stamped === undefined) return { ...given, findings: [] };
  const path = [...annotationsPath(kind), stampName];
  const finding = (message: string, severity: Finding['severity']): Finding => ({
    ...document.position(path),
    severity,
    rule: 'stamp',
    file,
    path: formatPath(path),
    message,
  });
  if (stamped === null)
    return { refused: [finding('is not what outrigger compose writes: take it out by hand', 'error')] };
  const taken = editing(file, () => takeFrom(text, document.index, stamped.added));
  if ('refused' in taken) return taken;
  const source = parseSource(file, taken.text);
  const original = source.documents.find(({ index }) => index === document.index);
  if (!original) return { refused: [finding('leaves nothing when what it names is taken out', 'error')] };
  return {
    file,
    text: taken.text,
    source,
    workload: workloadOf(original),
    findings: taken.missing.map((each) => finding(`${each} was added and is not there any more`, 'warning')),
  };
}

type Listed = Manifest & {
  /** It is to be kept with the workload. */
  readonly annotate: boolean;
  locate?(position: Position): Position;
};

function listOf(given: Open, before: Before, list: Manifest | undefined): Listed | Refused {
  const { kind, document } = given.workload;
  const own = annotationOf(kind, before.workload.value, listName);
  if (list && own === undefined) return { ...list, annotate: true };
  const path = [...annotationsPath(kind), listName];
  const { line, column } = document.position(path);
  const place = `${given.file}:${line}:${column}`;
  if (list)
    return { refused: [`${place}: error: the workload has a list of its own: give no --sidecars, or take it out`] };
  const text = annotationOf(kind, given.workload.value, listName);
  if (text === undefined)
    return {
      refused: [`${given.file}: a list of sidecars is expected: --sidecars, or the annotation ${listName} of the Pod`],
    };
  return { file: given.file, text, annotate: own === undefined, locate: locatorIn(given, path) };
}

/** Where a place in the text of an annotation is in the manifest. */
function locatorIn({ text, workload: { document } }: Open, path: Path): (position: Position) => Position {
  const key = document.position(path);
  const node = document.yaml.getIn(path, true);
  if (!isScalar(node) || node.type !== 'BLOCK_LITERAL') return () => key;
  const first = text.slice(0, node.range![0]).split('\n').length;
  const indent = /^ */.exec(text.split('\n')[first] ?? '')![0].length;
  return ({ line, column }) => ({ line: first + line, column: indent + column });
}

type Made = { readonly text: string; readonly additions: readonly Addition[] };

function write({ file, text, workload }: Before, additions: readonly Addition[], list: SidecarList): Made | Refused {
  const { kind, document } = workload;
  const stamped = (added: readonly string[]) => [...additions, stamp(kind, list.written, added)];
  return editing(file, () => {
    // Where things are added does not depend on what the stamp says of it.
    const { added } = addTo(text, document.index, stamped([]));
    const all = stamped(added);
    return { text: addTo(text, document.index, all).text, additions: all };
  });
}

function editing<T>(file: string, edit: () => T): T | Refused {
  try {
    return edit();
  } catch (error) {
    if (!(error instanceof EditError)) throw error;
    const { line, column, message } = error;
    return { refused: [{ file, line, column, severity: 'error', rule: 'edit', path: '', message }] };
  }
}

function findingOf(conflict: Conflict, { source, document, list }: Written, kind: WorkloadKind): Finding {
  const path = conflict.in === 'list' ? conflict.path : inTemplate(kind, conflict.path);
  const at = conflict.in === 'list' ? list.position(path) : document.position(path);
  const file = conflict.in === 'list' ? list.file : source.file;
  return { ...at, severity: 'error', rule: 'conflict', file, path: formatPath(path), message: conflict.message };
}
