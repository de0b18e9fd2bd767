// A document as places in its text: which entries a map or list has, where each starts and where it ends.

import {
  type Alias,
  type CST,
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { yamlOptions } from '../../manifest/source.ts';
import { EditError } from './error.ts';
import { previousLineEnd } from './lines.ts';

/** A field of a map or an item of a list. */
export type Entry = {
  /** The field, or the item's mountPath or name. */
  readonly id: string | undefined;
  /** Of the dash, or of the first character. */
  readonly start: number;
  readonly value: Node | null;
  readonly tokens: CST.CollectionItem;
};

export type Collection = {
  readonly node: YAMLMap | YAMLSeq;
  readonly kind: 'map' | 'list';
  readonly flow: boolean;
  readonly entries: readonly Entry[];
};

export type Tree = {
  readonly text: string;
  readonly document: Document.Parsed;
  readonly root: Node;
  /** Refuses what can not be edited: aliases, scalars, explicit keys, other types by tag. */
  open(node: Node): Collection;
  find(collection: Collection, id: string): Entry | undefined;
  /** Where the last thing of it ends that is no comment, no white space and no line break. */
  endOf(entry: Entry): number;
  /** Whether the entry ends with a text that the line break behind it is a part of. */
  endsWithBreak(entry: Entry): boolean;
  /** Whether such a text ends at the offset. */
  needsBreakBefore(offset: number): boolean;
  /** Each alias, and the node it stands for. */
  readonly aliases: ReadonlyMap<Alias, Node>;
  isShared(node: Node): boolean;
  /** Whether a merge key gives the map this field. */
  inherits(collection: Collection, field: string): boolean;
  fail(message: string, offset: number): EditError;
};

export function openTree(text: string, documentIndex: number): Tree {
  const lines = new LineCounter();
  const fail = (message: string, offset: number) => {
    const { line, col } = lines.linePos(offset);
    return new EditError(message, { line: Math.max(1, line), column: Math.max(1, col) });
  };
  const options = {
    ...yamlOptions,
    uniqueKeys: false,
    keepSourceTokens: true,
    lineCounter: lines,
    prettyErrors: false,
  };
  const parsed = parseAllDocuments(text, options);
  const documents = 'empty' in parsed ? [] : parsed;
  for (const { errors } of documents) for (const error of errors) throw fail(error.message, error.pos[0]);
  const document = documents.filter(({ contents }) => !isNothing(contents))[documentIndex];
  if (!document?.contents) throw fail(`There is no document ${documentIndex + 1}`, 0);
  return treeOf(text, document, fail);
}

export const isNothing = (node: Node | null): boolean => node === null || (isScalar(node) && node.value === null);

function treeOf(text: string, document: Document.Parsed, fail: Tree['fail']): Tree {
  const opened = new Map<Node, Collection>();
  const indexes = new Map<Collection, ReadonlyMap<string, readonly Entry[]>>();
  const aliases = targetsOf(document);
  const shared = new Set(aliases.values());
  const resolved = (node: unknown) => (isAlias(node) ? aliases.get(node) : isNode(node) ? node : undefined);

  return {
    text,
    document,
    root: document.contents!,
    open: (node) => opened.getOrInsertComputed(node, read),
    find(collection, id) {
      const index = indexes.getOrInsertComputed(collection, ({ entries }) =>
        Map.groupBy(entries, ({ id }) => id ?? ''),
      );
      const [entry, other] = index.get(id) ?? [];
      if (other) throw fail(`${id} is there twice`, other.start);
      return entry;
    },
    endOf(entry) {
      const { end } = lastOf(entry);
      return text[end - 1] === '\n' ? previousLineEnd(text, end) : end;
    },
    endsWithBreak: (entry) => keepsBreak(text, lastOf(entry).scalar),
    needsBreakBefore(offset) {
      let found = false;
      visit(document, {
        Scalar(_, scalar) {
          if (scalar.range![1] !== offset || !keepsBreak(text, scalar)) return undefined;
          found = true;
          return visit.BREAK;
        },
      });
      return found;
    },
    aliases,
    isShared: (node) => shared.has(node),
    inherits: ({ node }, field) => isMap(node) && mergedValue(node, field) !== undefined,
    fail,
  };

  function read(node: Node): Collection {
    const start = node.range![0];
    if (isAlias(node)) throw fail(`An alias stands here: *${node.source} can not be edited`, start);
    if (!(isMap(node) || isSeq(node))) throw fail('Neither a map nor a list', start);
    if (node.tag !== undefined && !/^tag:yaml\.org,2002:(map|seq)$/.test(node.tag))
      throw fail(`A ${node.tag} can not be edited`, start);
    const source = node.srcToken as CST.BlockMap | CST.BlockSequence | CST.FlowCollection | undefined;
    // A pair in a flow list, `[a: b]`, is a map without brackets.
    if (!source || (source.type === 'flow-collection' && !'[{'.includes(text[start]!)))
      throw fail('A map without brackets can not be edited', start);
    const entries = isMap(node)
      ? node.items.map(entryOfPair)
      : node.items.map((item, index) => entryOfItem(item, source.items[index]!));
    return { node, kind: isMap(node) ? 'map' : 'list', flow: source.type === 'flow-collection', entries };
  }

  function entryOfPair(pair: Pair): Entry {
    const tokens = pair.srcToken!;
    const start = implicitStart(tokens);
    if (!isScalar(pair.key)) throw fail('A map with a key that is no word can not be edited', start);
    return { id: String(pair.key.value), start, value: isNode(pair.value) ? pair.value : null, tokens };
  }

  function entryOfItem(item: unknown, tokens: CST.CollectionItem): Entry {
    const map = resolved(item);
    const named = isMap(map) ? (ownOrMerged(map, 'mountPath') ?? ownOrMerged(map, 'name')) : undefined;
    const id = isScalar(named) ? String(named.value) : undefined;
    return { id, start: implicitStart(tokens), value: isNode(item) ? item : null, tokens };
  }

  function implicitStart(tokens: CST.CollectionItem): number {
    if (tokens.start.some(({ type }) => type === 'explicit-key-ind'))
      throw fail('A map with explicit keys (?) can not be edited', startOf(tokens));
    return startOf(tokens);
  }

  function ownOrMerged(map: YAMLMap, field: string): Node | undefined {
    const own = map.items.find(({ key }) => isScalar(key) && key.value === field);
    return own ? resolved(own.value) : mergedValue(map, field);
  }

  function mergedValue(map: YAMLMap, field: string, seen = new Set<Node>()): Node | undefined {
    if (seen.has(map)) return undefined;
    seen.add(map);
    for (const { value } of map.items.filter(isMerge)) {
      const from = resolved(value);
      for (const each of isSeq(from) ? from.items : [from]) {
        const source = resolved(each);
        if (!isMap(source)) continue;
        const own = source.items.find(({ key }) => isScalar(key) && key.value === field);
        const found = own ? resolved(own.value) : mergedValue(source, field, seen);
        if (found) return found;
      }
    }
    return undefined;
  }
}

const isMerge = ({ key }: Pair) => isScalar(key) && (key.value === '<<' || typeof key.value === 'symbol');

/** What each alias stands for: of several anchors of that name, the last before it. */
function targetsOf(document: Document.Parsed): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Node(_, node) {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target) targets.set(node, target);
      } else if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

const blank: ReadonlySet<string> = new Set(['space', 'comment', 'newline', 'comma']);

const written = (tokens: readonly CST.SourceToken[] = []) => tokens.filter(({ type }) => !blank.has(type));

function startOf({ start, key, sep, value }: CST.CollectionItem): number {
  const first = written(start)[0] ?? key ?? written(sep)[0] ?? value;
  return first!.offset;
}

/** Behind the dash or the colon, or the anchor or tag after it. */
export function headerEnd({ start, key, sep }: CST.CollectionItem): number {
  const last = (written(sep).at(-1) ?? key ?? written(start).at(-1))!;
  return last.offset + ('source' in last ? last.source.length : 0);
}

/** A block scalar that is not stripped (`|-`). */
const keepsBreak = (text: string, node: Node | undefined) =>
  isScalar(node) && /^BLOCK_/.test(node.type ?? '') && !/^.\d?-/.test(text.slice(node.range![0], node.range![0] + 3));

/** What an entry ends with, in block style the last leaf of it. */
function lastOf({ value, tokens }: Entry): { readonly end: number; readonly scalar?: Node } {
  let [node, item] = [value, tokens];
  while (true) {
    if (!item.value) return { end: headerEnd(item) };
    if (!(isMap(node) || isSeq(node)) || node.flow) return { end: node!.range![1], scalar: node! };
    const last = node.items.at(-1);
    item = isPair(last)
      ? last.srcToken!
      : (node.srcToken as { items: CST.CollectionItem[] }).items[node.items.length - 1]!;
    const next = isPair(last) ? last.value : last;
    node = isNode(next) ? next : null;
  }
}
