// What additions mean for plain values: the law that the text is held to.

import { type AddedItem, type Addition, isItem, type Place } from '../../../src/compose/addition.ts';

type Plain = Record<string, unknown>;

const idOf = (item: Plain) => item.mountPath ?? item.name;

/** A copy of the value with the additions applied in their order. */
export function applied(value: unknown, additions: readonly Addition[]): unknown {
  const root = structuredClone(value) as Plain;
  const beside = new Map<unknown, AddedItem>();
  for (const addition of additions) {
    if (!isItem(addition)) {
      (at(root, addition.map, 'map') as Plain)[addition.field] = structuredClone(addition.value);
      continue;
    }
    const items = at(root, addition.list, 'list') as Plain[];
    const item = structuredClone(addition.item) as Plain;
    let index = items.length;
    if (addition.at !== 'end') {
      const after = addition.at === 'start' ? undefined : addition.at.after;
      index = after === undefined ? 0 : items.findIndex((each) => idOf(each) === after) + 1;
      while (JSON.stringify(beside.get(items[index])?.at) === JSON.stringify(addition.at)) index++;
    }
    items.splice(index, 0, item);
    beside.set(item, addition);
  }
  return root;
}

function at(root: Plain, place: Place, wanted: 'map' | 'list'): unknown {
  return place.reduce<unknown>((value, step, index) => {
    if (typeof step !== 'string') return (value as Plain[]).find((item) => idOf(item) === step.name);
    const next = place[index + 1];
    const isList = next === undefined ? wanted === 'list' : typeof next !== 'string';
    const map = value as Plain;
    map[step] ??= isList ? [] : {};
    return map[step];
  }, root);
}
