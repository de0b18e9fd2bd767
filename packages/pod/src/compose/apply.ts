// Additions to a plain value, as the back ends make them in text.

import { isObject } from '../manifest/path.ts';
import { type AddedItem, type Addition, isItem, type Place, type Step } from './addition.ts';

type Mapping = Record<string, unknown>;

/** A copy of the value with the additions in it. */
export function applied<T>(value: T, additions: readonly Addition[]): T {
  const copy = structuredClone(value);
  // How many stand before all that was there: additions keep their order.
  const first = new Map<unknown[], number>();
  for (const addition of additions) {
    if (isItem(addition)) addItem(listAt(copy, addition.list), addition, first);
    else mapAt(copy, addition.map)[addition.field] = structuredClone(addition.value);
  }
  return copy;
}

function addItem(list: unknown[], { key, item, at }: AddedItem, first: Map<unknown[], number>): void {
  const copy = structuredClone(item);
  if (at === 'end') list.push(copy);
  else if (at === 'start') {
    const index = first.get(list) ?? 0;
    list.splice(index, 0, copy);
    first.set(list, index + 1);
  } else list.splice(indexAfter(list, key, at.after), 0, copy);
}

function indexAfter(list: readonly unknown[], key: string, name: string): number {
  const index = list.findIndex((item) => isObject(item) && item[key] === name);
  if (index < 0) throw new Error(`no item is named ${name}`);
  return index + 1;
}

/** What the place leads to, or undefined. */
export function lookUp(value: unknown, place: Place): unknown {
  return place.reduce<unknown>(
    (held, step) => (typeof step === 'string' ? fieldOf(held, step) : itemOf(held, step)),
    value,
  );
}

const fieldOf = (held: unknown, field: string) =>
  isObject(held) && !Array.isArray(held) && Object.hasOwn(held, field) ? held[field] : undefined;

const itemOf = (held: unknown, { name }: Exclude<Step, string>) =>
  Array.isArray(held)
    ? held.find((item) => isObject(item) && (item.name === name || item.mountPath === name))
    : undefined;

function listAt(root: unknown, place: Place): unknown[] {
  const parent = mapAt(root, place.slice(0, -1));
  const field = place.at(-1) as string;
  parent[field] ??= [];
  return parent[field] as unknown[];
}

function mapAt(root: unknown, place: Place): Mapping {
  return place.reduce<unknown>((held, step) => {
    if (typeof step !== 'string') return itemOf(held, step);
    const map = held as Mapping;
    map[step] ??= {};
    return map[step];
  }, root) as Mapping;
}
