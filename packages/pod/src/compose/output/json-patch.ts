// Additions as a JSON patch (RFC 6902), for kubectl patch --type json and the patches of a kustomization.
//
// All tests come first, so that their indices are those of the original: the patch fails on an object of another name, on
// one whose containers stand elsewhere, and on one that has what is added already.

import { isObject } from '../../manifest/path.ts';
import { type AddedItem, type Addition, isItem, type Step } from '../addition.ts';
import type { Workload, WriteOutput } from './output.ts';
import { escapeKey } from './pointer.ts';
import { escapeUnprintable } from './unprintable.ts';

export type Operation = { readonly op: 'test' | 'add'; readonly path: string; readonly value: unknown };

export const jsonPatch: WriteOutput = (workload, additions) => ({
  files: [{ name: 'patch.json', text: print(operationsOf(workload, additions)) }],
  notes: [
    'a test for null asks that nothing is there yet, as kubectl, kustomize and the API server read it; a strict library refuses it',
  ],
});

/** kubectl reads it as YAML. */
const print = (value: unknown) => `${escapeUnprintable(JSON.stringify(value, null, 2))}\n`;

type Mapping = Record<string, unknown>;

/** Where a walk through the document has come to. */
type Spot = {
  readonly node: unknown;
  /** In the document as it is when the operations so far are done. */
  readonly path: string;
  /** In the document before the first of them. */
  readonly before: string;
  readonly original: unknown;
  /** It is in the value of an operation: what is added to it needs none of its own. */
  readonly made: boolean;
};

export function operationsOf(workload: Workload, additions: readonly Addition[]): Operation[] {
  const patch = new Patch(workload);
  for (const addition of additions) patch.add(addition);
  return patch.operations();
}

class Patch {
  readonly #root: Spot;
  /** By path, since several additions want the same. */
  readonly #tests = new Map<string, unknown>();
  readonly #adds: Operation[] = [];
  readonly #made = new Set<unknown>();
  /** How many stand before all that was there: additions keep their order. */
  readonly #first = new Map<unknown, number>();

  constructor(workload: Workload) {
    this.#root = { node: structuredClone(workload), path: '', before: '', original: workload, made: false };
    const name = isObject(workload.metadata) ? workload.metadata.name : undefined;
    if (typeof workload.kind === 'string') this.#tests.set('/kind', workload.kind);
    if (typeof name === 'string') this.#tests.set('/metadata/name', name);
  }

  add(addition: Addition): void {
    if (isItem(addition)) this.#addItem(addition);
    else this.#put(this.#walk(addition.map), addition.field, structuredClone(addition.value));
  }

  operations(): Operation[] {
    const tests = [...this.#tests].map(([path, value]): Operation => ({ op: 'test', path, value }));
    return structuredClone([...tests, ...this.#adds]);
  }

  #addItem({ list, key, item, at }: AddedItem): void {
    const around = this.#walk(list.slice(0, -1));
    const spot = this.#step(around, list.at(-1)!, () => []);
    const items = spot.node as unknown[];
    const index =
      at === 'end'
        ? items.length
        : at === 'start'
          ? (this.#first.get(items) ?? 0)
          : this.#after(spot, { key, name: at.after });
    if (at === 'start') this.#first.set(items, index + 1);
    const copy = structuredClone(item);
    items.splice(index, 0, copy);
    if (spot.made) return;
    this.#made.add(copy);
    this.#adds.push({ op: 'add', path: `${spot.path}/${at === 'end' ? '-' : index}`, value: copy });
  }

  #after(spot: Spot, { key, name }: { key: string; name: string }): number {
    const { node, made } = this.#item(spot, { key, name });
    if (!made) this.#testName(spot, { key, name });
    return (spot.node as unknown[]).indexOf(node) + 1;
  }

  #walk(place: readonly Step[]): Spot {
    return place.reduce<Spot>((spot, step) => this.#step(spot, step, () => ({})), this.#root);
  }

  #step(spot: Spot, step: Step, make: () => Mapping | unknown[]): Spot {
    if (typeof step === 'string') {
      const held = (spot.node as Mapping)[step];
      return held === undefined || held === null ? this.#put(spot, step, make()) : this.#child(spot, step);
    }
    const key = (spot.node as unknown[]).some((each) => isObject(each) && each.name === step.name)
      ? 'name'
      : 'mountPath';
    const found = this.#item(spot, { key, name: step.name });
    if (!found.made) this.#testName(spot, { key, name: step.name });
    return found;
  }

  /** A field that is not there yet. */
  #put(spot: Spot, field: string, value: unknown): Spot {
    (spot.node as Mapping)[field] = value;
    const child = this.#child(spot, field);
    if (spot.made) return child;
    this.#made.add(value);
    this.#tests.set(child.before, null);
    this.#adds.push({ op: 'add', path: child.path, value });
    return { ...child, made: true };
  }

  #child(spot: Spot, field: string): Spot {
    const node = (spot.node as Mapping)[field];
    const key = escapeKey(field);
    return {
      node,
      path: `${spot.path}/${key}`,
      before: `${spot.before}/${key}`,
      original: isObject(spot.original) ? spot.original[field] : undefined,
      made: spot.made || this.#made.has(node),
    };
  }

  #item(spot: Spot, { key, name }: { key: string; name: string }): Spot {
    const find = (list: unknown) => (list as unknown[]).findIndex((each) => isObject(each) && each[key] === name);
    const index = find(spot.node);
    if (index < 0) throw new Error(`nothing in ${spot.path} is named ${name}`);
    const node = (spot.node as unknown[])[index];
    const made = spot.made || this.#made.has(node);
    const before = made ? index : find(spot.original);
    return {
      node,
      path: `${spot.path}/${index}`,
      before: `${spot.before}/${before}`,
      original: made ? undefined : (spot.original as unknown[])[before],
      made,
    };
  }

  #testName(spot: Spot, named: { key: string; name: string }): void {
    this.#tests.set(`${this.#item(spot, named).before}/${named.key}`, named.name);
  }
}
