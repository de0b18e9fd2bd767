// Additions as a strategic-merge patch, the same file for kubectl patch --type strategic and for kustomize.
//
// The order of initContainers is the order they start in, and the two merge lists differently: kubectl puts new items last,
// kustomize first and knows no $setElementOrder. Both keep the order of the patch when it names every item, so a list whose
// order matters is given in full, what is there by its name alone.

import { isObject } from '../../manifest/path.ts';
import { type Addition, isItem, type Place, type Step } from '../addition.ts';
import { applied, lookUp } from '../apply.ts';
import type { Workload, WriteOutput } from './output.ts';
import { printYaml } from './print.ts';

type Mapping = Record<string, unknown>;

export const strategicMerge: WriteOutput = (workload, additions) => ({
  files: [{ name: 'patch.yaml', text: printYaml(strategicMergeOf(workload, additions)) }],
  notes: [],
});

const ordered: readonly Step[] = ['initContainers', 'containers'];

export function strategicMergeOf(workload: Workload, additions: readonly Addition[]): Mapping {
  const { apiVersion, kind, metadata } = workload;
  const name = isObject(metadata) ? metadata.name : undefined;
  const patch: Mapping = { apiVersion, kind, metadata: { name } };
  const result = applied(workload, additions);
  for (const addition of additions)
    if (isItem(addition)) itemsAt(patch, addition.list).push(structuredClone(addition.item));
    else mapAt(patch, addition.map)[addition.field] = structuredClone(addition.value);
  for (const place of listsOf(additions)) putInOrder(itemsAt(patch, place), lookUp(result, place) as Mapping[]);
  return patch;
}

/** Those that the patch has and whose order matters. */
function listsOf(additions: readonly Addition[]): Place[] {
  const lists = additions.flatMap((addition) => {
    const place = isItem(addition) ? addition.list : addition.map;
    return place.flatMap((step, index) => (ordered.includes(step) ? [place.slice(0, index + 1)] : []));
  });
  return [...new Map(lists.map((place) => [JSON.stringify(place), place])).values()];
}

function putInOrder(items: Mapping[], result: readonly Mapping[]): void {
  const given = new Map(items.map((item) => [item.name, item]));
  items.splice(0, items.length, ...result.map(({ name }) => given.get(name) ?? { name }));
}

const itemsAt = (patch: Mapping, place: Place) => at(patch, place, () => []) as Mapping[];
const mapAt = (patch: Mapping, place: Place) => at(patch, place, () => ({})) as Mapping;

function at(patch: Mapping, place: Place, make: () => unknown): unknown {
  return place.reduce<unknown>((held, step, index) => {
    const next = place[index + 1];
    const inner = index === place.length - 1 ? make : () => (isObject(next) ? [] : {});
    if (typeof step !== 'string') return itemOf(held as Mapping[], step.name);
    const map = held as Mapping;
    map[step] ??= inner();
    return map[step];
  }, patch);
}

/** The items of a list on the way to a place are containers, which merge by name. */
function itemOf(list: Mapping[], name: string): Mapping {
  const found = list.find((item) => item.name === name);
  if (found) return found;
  const item = { name };
  list.push(item);
  return item;
}
