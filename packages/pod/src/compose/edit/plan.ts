// Where additions go: into maps and lists of the document, or into what an earlier one made.

import type { Node } from 'yaml';
import { type AddedField, type AddedItem, type Addition, isItem, type Place, type Step } from '../addition.ts';
import { type Added, formatAdded } from './place.ts';
import type { Value } from './render.ts';
import { type Collection, type Entry, isNothing, type Tree } from './tree.ts';

/** An entry of a list as it will be: one that is there, or a new one. */
export type Slot = {
  readonly entry?: Entry;
  readonly value?: Value;
  readonly id: string | undefined;
  readonly at?: AddedItem['at'];
};

export type NewPair = { readonly field: string; readonly value: Value; readonly made: boolean };

/** A field with nothing or null that gets a map or list. */
export type Fill = { readonly collection: Collection; readonly entry: Entry; readonly value: Value };

export type Plan = {
  readonly lists: Map<Collection, { readonly slots: Slot[]; readonly entry: Entry | undefined }>;
  readonly maps: Map<Collection, NewPair[]>;
  readonly fills: Map<Entry, Fill>;
  readonly added: string[];
};

/** A map or list: of the document, or a value that will be written. */
type Spot =
  | { readonly place: Place; readonly collection: Collection; readonly entry: Entry | undefined }
  | { readonly place: Place; readonly value: Value /** Inside of an addition. */; readonly owned: boolean };

type Wanted = 'map' | 'list';

export function planOf(tree: Tree, additions: readonly Addition[]): Plan {
  const plan: Plan = { lists: new Map(), maps: new Map(), fills: new Map(), added: [] };
  // What is put beside which item, in lists that are made.
  const beside = new Map<Value, AddedItem['at']>();
  for (const addition of additions) {
    // As JSON: no undefined, and nothing that changes later.
    if (isItem(addition))
      addItem({ ...addition, item: JSON.parse(JSON.stringify(addition.item)) as Record<string, Value> });
    else addField({ ...addition, value: JSON.parse(JSON.stringify(addition.value ?? null)) as Value });
  }
  return plan;

  function addItem({ list, item, at }: AddedItem & { item: Record<string, Value> }): void {
    const spot = spotOf(list, 'list');
    const id = idOf(item)!;
    const place = [...list, { name: id }];
    if ('value' in spot) {
      const items = spot.value as Value[];
      if (items.some((each) => idOf(each) === id)) throw thereAlready({ place }, tree.root);
      const slots = items.map((each) => ({ id: idOf(each), at: beside.get(each) }));
      items.splice(indexFor(slots, at, list), 0, item);
      beside.set(item, at);
      if (!spot.owned) note({ place });
      return;
    }
    const { collection, entry } = spot;
    const slots = slotsOf(collection, entry);
    if (slots.some((slot) => slot.id === id)) throw thereAlready({ place }, collection.node);
    slots.splice(indexFor(slots, at, list), 0, { value: item, id, at });
    note({ place });
  }

  function addField({ map, field, value }: AddedField & { value: Value }): void {
    const spot = spotOf(map, 'map');
    const place = [...map, field];
    if ('value' in spot) {
      const fields = spot.value as Record<string, Value>;
      if (Object.hasOwn(fields, field)) throw thereAlready({ place }, tree.root);
      fields[field] = value;
      if (!spot.owned) note({ place });
      return;
    }
    const { collection } = spot;
    if (tree.find(collection, field) || pairsOf(collection).some((pair) => pair.field === field))
      throw thereAlready({ place }, collection.node);
    if (tree.inherits(collection, field)) throw inherited(place, collection.node);
    pairsOf(collection).push({ field, value, made: false });
    note({ place });
  }

  function spotOf(place: Place, wanted: Wanted): Spot {
    let spot = spotAt(tree.root, [], undefined);
    for (const [index, step] of place.entries()) {
      const next = place[index + 1];
      spot = enter(spot, step, next === undefined ? wanted : typeof next === 'string' ? 'map' : 'list');
    }
    const isList = 'value' in spot ? Array.isArray(spot.value) : spot.collection.kind === 'list';
    if (isList !== (wanted === 'list')) throw misfit(place, wanted, spot);
    return spot;
  }

  function spotAt(node: Node, place: Place, entry: Entry | undefined): Spot {
    if (tree.isShared(node))
      throw tree.fail(`${placeText(place)} has an anchor, and an alias stands for it elsewhere`, node.range![0]);
    return { place, collection: tree.open(node), entry };
  }

  function enter(spot: Spot, step: Step, wanted: Wanted): Spot {
    const place = [...spot.place, step];
    if ('value' in spot) return enterValue(spot, step, wanted, place);
    const { collection } = spot;
    if ((collection.kind === 'list') === (typeof step === 'string'))
      throw misfit(spot.place, typeof step === 'string' ? 'map' : 'list', spot);
    if (typeof step !== 'string') {
      const added = plan.lists.get(collection)?.slots.find((slot) => !slot.entry && slot.id === step.name);
      if (added) return { place, value: added.value!, owned: true };
      const entry = tree.find(collection, step.name);
      if (!entry) throw tree.fail(`${placeText(spot.place)} has no item ${step.name}`, collection.node.range![0]);
      return spotAt(entry.value!, place, entry);
    }
    const added = plan.maps.get(collection)?.find(({ field }) => field === step);
    if (added) return { place, value: added.value, owned: !added.made };
    const entry = tree.find(collection, step);
    if (entry && !isNothing(entry.value)) return spotAt(entry.value!, place, entry);
    const value: Value = wanted === 'list' ? [] : {};
    if (entry) return fill(entry, collection, value, place);
    if (tree.inherits(collection, step)) throw inherited(place, collection.node);
    pairsOf(collection).push({ field: step, value, made: true });
    note({ place, made: 'new' });
    return { place, value, owned: false };
  }

  function enterValue(spot: Spot & { value: Value }, step: Step, wanted: Wanted, place: Place): Spot {
    const { value, owned } = spot as { value: Value; owned: boolean };
    if (Array.isArray(value)) {
      const item = value.find((each) => typeof step !== 'string' && idOf(each) === step.name);
      if (item === undefined) throw tree.fail(`${placeText(place)} is not there`, 0);
      // An item is always an addition as a whole.
      return { place, value: item, owned: true };
    }
    const fields = value as Record<string, Value>;
    if (typeof step !== 'string' || typeof fields !== 'object') throw misfit(spot.place, 'list', spot);
    if (fields[step] === undefined || fields[step] === null) {
      fields[step] = wanted === 'list' ? [] : {};
      if (!owned) note({ place, made: 'new' });
    }
    return { place, value: fields[step], owned };
  }

  function fill(entry: Entry, collection: Collection, value: Value, place: Place): Spot {
    const known = plan.fills.get(entry);
    if (known) return { place, value: known.value, owned: false };
    plan.fills.set(entry, { collection, entry, value });
    const was = nullText(tree, entry, collection.flow);
    if (was !== undefined) note({ place, made: `was${was}` });
    return { place, value, owned: false };
  }

  function slotsOf(collection: Collection, entry: Entry | undefined): Slot[] {
    const slots = () => collection.entries.map((each) => ({ entry: each, id: each.id }));
    return plan.lists.getOrInsertComputed(collection, () => ({ slots: slots(), entry })).slots;
  }

  function pairsOf(collection: Collection): NewPair[] {
    return plan.maps.getOrInsertComputed(collection, () => []);
  }

  function indexFor(slots: readonly Slot[], at: AddedItem['at'], list: Place): number {
    if (at === 'end') return slots.length;
    let index = at === 'start' ? 0 : slots.findIndex(({ id }) => id === at.after) + 1;
    if (at !== 'start' && index === 0) throw tree.fail(`${placeText(list)} has no item ${at.after}`, 0);
    // Those that were put there before it stay before it.
    while (slots[index]?.at !== undefined && isSame(slots[index]!.at!, at)) index++;
    return index;
  }

  function note(added: Added): void {
    plan.added.push(formatAdded(added));
  }

  function thereAlready(added: Added, node: Node) {
    return tree.fail(`${formatAdded(added)} is there already`, node.range![0]);
  }

  function inherited(place: Place, node: Node) {
    return tree.fail(`${placeText(place)} comes from a merge key (<<): write it out`, node.range![0]);
  }

  function misfit(place: Place, wanted: Wanted, spot: Spot) {
    const offset = 'value' in spot ? 0 : spot.collection.node.range![0];
    return tree.fail(`${placeText(place)} is not a ${wanted}`, offset);
  }
}

const placeText = (place: Place) => formatAdded({ place }) || 'The document';

/** What an item is known by: its path for a mount, of which several may have one name. */
function idOf(item: Value): string | undefined {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return undefined;
  const id = item.mountPath ?? item.name;
  return id === undefined ? undefined : String(id);
}

const isSame = (a: AddedItem['at'], b: AddedItem['at']) =>
  typeof a === 'string' || typeof b === 'string' ? a === b : a.after === b.after;

/** The null as it was written, with the space before it; undefined if there is none. */
function nullText(tree: Tree, { tokens, value, start }: Entry, flow: boolean): string | undefined {
  const extra = tokens.sep?.find(({ type }) => type === 'anchor' || type === 'tag');
  if (extra) throw tree.fail(`A null with ${extra.source} can not be filled`, extra.offset);
  const colon = tokens.sep?.find(({ type }) => type === 'map-value-ind');
  if (!tokens.value) {
    if (flow) throw tree.fail('A field without a value in braces can not be filled: write [] or {}', start);
    return undefined;
  }
  const [from, to] = value!.range!;
  const text = flow ? ` ${tree.text.slice(from, to)}` : tree.text.slice(colon!.offset + 1, to);
  if (!/^[ \t]+[\w~]+$/.test(text)) throw tree.fail('A null on a line of its own can not be filled', from);
  return text;
}
