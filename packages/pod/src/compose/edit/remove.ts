// What was added, taken out again: the exact reverse of what insert.ts and insert-flow.ts put in.

import { isMap, isSeq, type Node } from 'yaml';
import { columnOf, endWithComments, lineEnd, lineStart, previousLineEnd } from './lines.ts';
import { parseAdded } from './place.ts';
import type { Splice } from './splice.ts';
import { type Collection, type Entry, headerEnd, isNothing, type Tree } from './tree.ts';

type Found = { readonly collection: Collection; readonly entry: Entry };

export function removalsOf(tree: Tree, added: readonly string[]): { splices: Splice[]; missing: string[] } {
  const { text } = tree;
  const missing: string[] = [];
  const removed = new Map<Collection, Set<Entry>>();
  const splices: Splice[] = [];
  const replaced = new Set<Collection>();
  const places = added.flatMap((place) => {
    const parsed = parseAdded(place);
    const found = parsed && find(parsed.path);
    if (!found) missing.push(place);
    return found ? [{ ...found, place, made: parsed.made, depth: parsed.path.length }] : [];
  });
  for (const { made, collection, entry } of places) if (made === undefined) remove(collection, entry);
  // From the inside out: a map that holds nothing but what goes, goes.
  for (const { made, collection, entry } of places.filter(({ made }) => made).toSorted((a, b) => b.depth - a.depth)) {
    if (!holdsNothing(entry.value)) continue;
    if (made === 'new') remove(collection, entry);
    else restore(entry, collection, made!.slice('was'.length));
  }
  for (const [collection, entries] of removed) {
    if (replaced.has(collection)) continue;
    if (collection.flow) splices.push(...outOfFlow(collection, entries));
    else for (const entry of entries) splices.push(outOfBlock(collection, entry));
  }
  refuseDangling(splices);
  return { splices: keepLastBreak(splices), missing };

  function find(path: readonly string[]): Found | undefined {
    let node: Node | null = tree.root;
    let found: Found | undefined;
    for (const step of path) {
      if (!(isMap(node) || isSeq(node))) return undefined;
      const collection = tree.open(node);
      const entry = tree.find(collection, step);
      if (!entry) return undefined;
      found = { collection, entry };
      node = entry.value;
    }
    return found;
  }

  function remove(collection: Collection, entry: Entry): void {
    const entries = removed.get(collection);
    if (entries) entries.add(entry);
    else removed.set(collection, new Set([entry]));
  }

  function holdsNothing(node: Node | null): boolean {
    if (isNothing(node)) return true;
    if (!(isMap(node) || isSeq(node))) return false;
    const collection = tree.open(node);
    return collection.entries.length === (removed.get(collection)?.size ?? 0);
  }

  /** The null that a map or list took the place of. */
  function restore({ value, tokens }: Entry, { flow }: Collection, was: string): void {
    const inFlow = (isMap(value) || isSeq(value)) && value.flow;
    if (inFlow) {
      replaced.add(tree.open(value));
      splices.push({ from: value.range![0], to: value.range![1], text: was.trimStart() });
    } else if (!flow && !tokens.value?.type.includes('scalar')) {
      const at = headerEnd(tokens);
      splices.push({ from: at, to: at, text: was });
    }
  }

  function outOfBlock(collection: Collection, entry: Entry): Splice {
    const { start } = entry;
    const index = collection.entries.indexOf(entry);
    const column = columnOf(text, start);
    if (text.slice(lineStart(text, start), start).replace('\uFEFF', '').trim() !== '') {
      // On the line of a dash: what follows takes its place.
      const next = collection.entries[index + 1];
      return { from: start, to: next ? next.start : tree.endOf(entry), text: '' };
    }
    const to = endWithComments(text, tree.endOf(entry), column);
    const from = previousLineEnd(text, start);
    if (from < 0) return { from: start - column, to: text.indexOf('\n', to) + 1 || text.length, text: '' };
    return { from, to, text: '' };
  }

  function outOfFlow({ node, entries }: Collection, gone: ReadonlySet<Entry>): Splice[] {
    const kept = entries.findIndex((entry) => !gone.has(entry));
    const [start, end] = node.range!;
    const last = tree.endOf(entries.at(-1)!);
    const [lead, tail] = [text.slice(start + 1, entries[0]!.start), text.slice(last, end - 1)];
    // White space was put in with the first of them; where it was there before, they follow the bracket.
    if (kept < 0 && lead !== '' && isBlank(lead) && isBlank(tail.replace(',', '')))
      return [{ from: start + 1, to: end - 1, text: '' }];
    const splices = entries.flatMap((entry, index) => {
      if (!gone.has(entry)) return [];
      const own = { from: entry.start, to: tree.endOf(entry), text: '' };
      const [one, other] = index < kept ? [entry, entries[index + 1]!] : [entries[index - 1], entry];
      return one ? [own, ...between(one, other)] : [own];
    });
    const comma = /^\s*,/.exec(tail)?.[0].length;
    return kept < 0 && comma ? [...splices, { from: last, to: last + comma, text: '' }] : splices;
  }

  /** The comma between two entries in brackets and, where no comment is, the white space. */
  function between(one: Entry, other: Entry): Splice[] {
    const [from, to] = [tree.endOf(one), other.start];
    if (!text.slice(from, to).includes('#')) return [{ from, to, text: '' }];
    const comma = other.tokens.start.find(({ type }) => type === 'comma')!.offset;
    return [{ from: comma, to: comma + 1, text: '' }];
  }

  /** Where the text ends without a line break, what goes takes the one before it, but not one that a block scalar needs. */
  function keepLastBreak(spans: readonly Splice[]): Splice[] {
    const sorted = spans.toSorted((a, b) => b.from - a.from);
    let end = text.length;
    for (const { from, to } of sorted) if (to >= end) end = Math.min(end, from);
    const rest = lineEnd(text, end) === end ? text.indexOf('\n', end) + 1 : 0;
    if (rest === 0 || rest === text.length || !tree.needsBreakBefore(rest)) return [...spans];
    return spans.map((span) => (span.from === end ? { ...span, from: rest } : span));
  }

  /** Nothing that stays may be an alias of what goes. */
  function refuseDangling(spans: readonly Splice[]): void {
    const isGone = (offset: number) => spans.some(({ from, to }) => from <= offset && offset < to);
    for (const [alias, target] of tree.aliases)
      if (isGone(target.range![0]) && !isGone(alias.range![0]))
        throw tree.fail(`*${alias.source} stands for something that is to be removed`, alias.range![0]);
  }
}

const isBlank = (text: string) => text.trim() === '';
