// YAML anchors, aliases and merge keys put out in full.

import { type Document, isMap, isNode, isScalar, isSeq, type Pair, visit } from 'yaml';

export function unfold(document: Document.Parsed): void {
  visit(document, {
    Alias: (_, alias) => {
      const copy = alias.resolve(document)?.clone();
      return isNode(copy) ? copy : undefined;
    },
  });
  visit(document, {
    Value: (_, node) => {
      delete node.anchor;
      if (isMap(node)) node.items = unmerged(node.items);
    },
  });
}

/** What a map says itself wins over what is merged into it, and an earlier merge over a later one. */
function unmerged(items: readonly Pair[]): Pair[] {
  const merged = items.filter(isMerge).flatMap(({ value }) => (isSeq(value) ? value.items : [value]));
  if (merged.length === 0) return [...items];
  const own = items.filter((pair) => !isMerge(pair));
  const names = new Set(own.map(({ key }) => String(key)));
  const added = merged
    .flatMap((map) => (isMap(map) ? unmerged(map.items) : []))
    .filter(({ key }) => !names.has(String(key)) && names.add(String(key)));
  return [...added, ...own];
}

const isMerge = ({ key }: Pair) => isScalar(key) && (key.value === '<<' || typeof key.value === 'symbol');
