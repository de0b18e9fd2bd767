// A YAML file (of which JSON is a part) as plain data in which every value knows where it stands. Bounded in size, in depth
// and in what its aliases multiply to.

import type * as Yaml from 'yaml';
import { readText, reasonOfFile } from '../read-file.ts';
import type { Path } from './parameter.ts';

/** A value with its place; what an alias names is shared, not copied. */
export type Node = {
  readonly value: unknown;
  readonly offset: number;
  /** A scalar as it is written. */
  readonly text?: string | undefined;
  readonly entries?: ReadonlyMap<string | number, Entry> | undefined;
  /** How many characters it is about, each alias written out. */
  readonly weight: number;
  /** How many levels there are below it. */
  readonly height: number;
};

type Entry = { readonly key: number; readonly node: Node };

export type Structure = {
  readonly file: string;
  readonly root: Node;
  /** `rules.yaml:4:5` of what the path leads to, or of the last thing on the way that is there; of its key if so wished. */
  place(path: Path, at?: 'key' | 'value'): string;
};

export type Misplaced = { readonly place: string; readonly message: string };
export type ReadStructure = { readonly structure: Structure } | { readonly problems: readonly Misplaced[] };

const deepest = 64;
const heaviest = 4 * 1024 * 1024;
const mostProblems = 20;

/** Never rejects: a file that cannot be read is a problem of its own. */
export async function readStructure(file: string): Promise<ReadStructure> {
  try {
    return await parseStructure(file, readText(file));
  } catch (error) {
    return { problems: [{ place: file, message: reasonOfFile(error as NodeJS.ErrnoException) }] };
  }
}

export async function parseStructure(file: string, text: string): Promise<ReadStructure> {
  // yaml costs 1.2 MB: only a sidecar with such a file pays for it.
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  // Its own search for keys given twice is quadratic, and so is its search for what an alias names.
  const options = {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'error',
    merge: true,
  } as const;
  const document = yaml.parseDocument(text, options);
  const placeAt = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const wrong = [...document.errors, ...document.warnings].map(({ code, message, pos }) => ({
    offset: pos[0],
    message: code === 'MULTIPLE_DOCS' ? 'one document is expected, and this starts another' : explain(message),
  }));
  const builder = new Builder(yaml);
  const root = wrong.length === 0 ? builder.build(document.contents, 0) : undefined;
  wrong.push(...builder.problems);
  if (!root || wrong.length > 0)
    return {
      problems: wrong.slice(0, mostProblems).map(({ offset, message }) => ({ place: placeAt(offset), message })),
    };
  return { structure: { file, root, place: (path, at = 'value') => placeAt(offsetOf(root, path, at)) } };
}

// How the parser says that its own stack is exhausted.
const explain = (message: string) => (message.startsWith('Maximum call stack') ? tooDeep : message);
const tooDeep = `nested more than ${deepest} deep`;

function offsetOf(root: Node, path: Path, at: 'key' | 'value'): number {
  let node = root;
  let offset = root.offset;
  for (const [index, segment] of path.entries()) {
    const entry = node.entries?.get(segment);
    if (!entry) break;
    ({ node } = entry);
    offset = at === 'key' && index === path.length - 1 ? entry.key : node.offset;
  }
  return offset;
}

/** What a path leads to. */
export function nodeAt(root: Node, path: Path): Node | undefined {
  return path.reduce<Node | undefined>((node, segment) => node?.entries?.get(segment)?.node, root);
}

const scalar = (node: Yaml.Scalar, offset: number): Node => {
  const text = textOf(node);
  return { value: node.value, offset, text, weight: 1 + (text?.length ?? 0), height: 0 };
};

const empty: Node = { value: null, offset: 0, weight: 1, height: 0 };

/** From the parser's tree to nodes, in the order of the file, so that an anchor is known before its aliases. */
class Builder {
  readonly problems: { readonly offset: number; readonly message: string }[] = [];
  readonly #yaml: typeof Yaml;
  /** Of what is still being built, undefined. */
  readonly #anchors = new Map<string, Node | undefined>();

  constructor(yaml: typeof Yaml) {
    this.#yaml = yaml;
  }

  build(node: unknown, depth: number): Node {
    const { isAlias, isMap, isSeq, isScalar } = this.#yaml;
    const offset = (node as Yaml.Node | null)?.range?.[0] ?? 0;
    if (isAlias(node)) return this.#named(node.source, offset);
    const anchor = (node as Yaml.Scalar | null)?.anchor;
    if (anchor) this.#anchors.set(anchor, undefined);
    let built: Node = { ...empty, offset };
    if (depth > deepest) this.#say(offset, tooDeep);
    else if (isMap(node)) built = this.#mapping(node, offset, depth);
    else if (isSeq(node)) built = this.#sequence(node, offset, depth);
    else if (isScalar(node)) built = scalar(node, offset);
    if (anchor) this.#anchors.set(anchor, built);
    return built;
  }

  #named(anchor: string, offset: number): Node {
    const built = this.#anchors.get(anchor);
    if (built) return built;
    const message = this.#anchors.has(anchor)
      ? `*${anchor} stands inside of what it names`
      : `*${anchor} names nothing above`;
    this.#say(offset, message);
    return { ...empty, offset };
  }

  #sequence(list: Yaml.YAMLSeq, offset: number, depth: number): Node {
    const nodes = list.items.map((item) => this.build(item, depth + 1));
    const entries = new Map(nodes.map((node, index) => [index, { key: node.offset, node }]));
    return this.#weighed({ value: nodes.map(({ value }) => value), offset, entries });
  }

  #mapping(map: Yaml.YAMLMap, offset: number, depth: number): Node {
    const entries = new Map<string, Entry>();
    const merged: Node[] = [];
    for (const { key, value } of map.items) {
      const at = (key as Yaml.Node | null)?.range?.[0] ?? offset;
      const node = value === null ? { ...empty, offset: at } : this.build(value, depth + 1);
      if (!this.#yaml.isScalar(key) || key.value === null) this.#say(at, 'a word is expected as a key');
      else if (key.value === '<<' || typeof key.value === 'symbol') merged.push(...this.#sources(node, at));
      else if (entries.has(String(key.value))) this.#say(at, `${key.value} is given twice`);
      else entries.set(String(key.value), { key: at, node });
    }
    // What the mapping says itself, and then what is merged first, wins.
    for (const { entries: more } of merged)
      for (const [key, entry] of more!) if (!entries.has(key as string)) entries.set(key as string, entry);
    // fromEntries makes a plain property even of __proto__.
    const value = Object.fromEntries([...entries].map(([key, { node }]) => [key, node.value]));
    return this.#weighed({ value, offset, entries });
  }

  #sources(node: Node, offset: number): Node[] {
    const sources = Array.isArray(node.value) ? [...node.entries!.values()].map((entry) => entry.node) : [node];
    const mappings = sources.filter(
      ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value),
    );
    if (mappings.length < sources.length) this.#say(offset, '<< merges a mapping or a list of mappings');
    return mappings;
  }

  #weighed(node: Omit<Node, 'weight' | 'height'> & Required<Pick<Node, 'entries'>>): Node {
    let [weight, height] = [1, 1];
    for (const [key, entry] of node.entries!) {
      weight += entry.node.weight + (typeof key === 'string' ? key.length : 0);
      height = Math.max(height, entry.node.height + 1);
    }
    if (weight <= heaviest && height <= deepest) return { ...node, weight, height };
    this.#say(node.offset, weight > heaviest ? 'its aliases multiply beyond what any file needs' : tooDeep);
    return { ...empty, offset: node.offset };
  }

  #say(offset: number, message: string): void {
    this.problems.push({ offset, message });
  }
}

/** 1.10 and 0x1F are what was written, not what a number makes of them. */
const textOf = ({ value, source }: Yaml.Scalar) =>
  typeof value === 'number' ? (source ?? String(value)) : value === null ? undefined : String(value);
