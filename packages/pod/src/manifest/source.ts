// A manifest's text to its YAML documents, with the position of everything in them.

import { readFileSync } from 'node:fs';
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Tags,
} from 'yaml';
import { isObject, type Path } from './path.ts';

export type Position = { readonly line: number; readonly column: number };

export type SyntaxProblem = Position & { readonly message: string };

export type SourceDocument = {
  /** Its number in the file, empty documents counted. */
  readonly index: number;
  readonly yaml: Document.Parsed;
  /** As plain values; null fields are left out, since Kubernetes takes null for absent. */
  readonly value: unknown;
  /** Of the field or item at the path, or of the closest thing around it that exists. */
  position(path: Path): Position;
};

export type Source = {
  /** As it was named. */
  readonly file: string;
  readonly text: string;
  readonly documents: readonly SourceDocument[];
  readonly problems: readonly SyntaxProblem[];
};

/** @param file a path, or `-` for stdin. Rejects as the file system does. */
export const readSource = (file: string): Source => parseSource(file, readFileSync(file === '-' ? 0 : file, 'utf8'));

export function parseSource(file: string, text: string): Source {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { ...yamlOptions, lineCounter: lines, prettyErrors: false });
  const documents = 'empty' in parsed ? [] : parsed;
  const positionOf = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems = documents.flatMap(({ errors }) =>
    errors.map(({ message, pos }) => ({ ...positionOf(pos[0]), message: sentence(message) })),
  );
  if (problems.length > 0) return { file, text, problems, documents: [] };
  try {
    return { file, text, problems, documents: documents.map(read).filter(({ yaml }) => !isEmpty(yaml.contents)) };
  } catch (error) {
    const message = unfoldable(error);
    return { file, text, documents: [], problems: [{ line: 1, column: 1, message }] };
  }

  function read(yaml: Document.Parsed, index: number): SourceDocument {
    return {
      index,
      yaml,
      value: withoutNulls(yaml.toJS({ maxAliasCount: 1000 })),
      position: (path) => positionOf(offsetOf(yaml, path)),
    };
  }
}

// The API server reads YAML as go-yaml does: 1.1's octal 0644 and yes/no, but neither dates nor base 60.
export const yamlOptions = {
  schema: 'yaml-1.1',
  merge: true,
  uniqueKeys: true,
  customTags: (tags: Tags) =>
    tags.filter((tag) => typeof tag === 'string' || (tag.format !== 'TIME' && !tag.tag.endsWith(':timestamp'))),
} as const;

const isEmpty = (contents: Node | null) => contents === null || (isScalar(contents) && contents.value === null);

/** Aliases may be unknown, unfold without end, or lead back to themselves. */
function unfoldable(error: unknown): string {
  if (error instanceof ReferenceError) return sentence(error.message);
  if (error instanceof RangeError) return 'Nested too deep, or an alias refers to itself';
  throw error;
}

const sentence = (message: string) => (message.split('\n')[0] ?? message).replace(/[.:]?\s*$/, '');

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([, each]) => each !== null && each !== undefined);
  return Object.fromEntries(kept.map(([key, each]) => [key, withoutNulls(each)]));
}

function offsetOf(document: Document.Parsed, path: Path): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const step of path) {
    const resolved = isAlias(node) ? node.resolve(document) : node;
    const pair = isMap(resolved)
      ? resolved.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(step))
      : undefined;
    const next: unknown = pair ? pair.value : isSeq(resolved) ? resolved.items[Number(step)] : undefined;
    const at = startOf(pair ? pair.key : next);
    // A merged key stands elsewhere, a missing one nowhere: what is around it is shown.
    if (at === undefined) break;
    offset = at;
    node = next;
  }
  return offset;
}

const startOf = (node: unknown): number | undefined =>
  isObject(node) && Array.isArray(node.range) ? (node.range[0] as number) : undefined;
