// Where additions go: into maps and lists of the document, or into what an earlier one made.

import { isMap, isSeq, type Node } from 'yaml';
import { type AddedField, type AddedItem, type Addition, isItem, type Place, type Step } from '../addition.ts';
import type { EditError } from './error.ts';
import { type Added, formatAdded } from './place.ts';
import type { Value } from './render.ts';
import { type Collection, type Entry, headerEnd, isNothing, type Tree } from './tree.ts';

/** An entry of a map or list as it will be: one that is there, or a new value. */
export type Slot = {
  readonly id: string | undefined;
  readonly entry?: Entry;
  readonly value?: Value;
  /** A map or list that had to be made around additions. */
  readonly made?: boolean;
  readonly at?: AddedItem['at'];
};

export type Change = {
  readonly slots: Slot[];
  /** The field that holds the map or list. */
  readonly holder: Entry | undefined;
};

/** A field that holds nothing, and gets a map or list. */
export type Fill = { readonly collection: Collection; readonly value: Value };

export type Plan = {
  readonly changes: ReadonlyMap<Collection, Change>;
  readonly fills: ReadonlyMap<Entry, Fill>;
  readonly added: readonly string[];
};

/** A map or list that is there. */
type There = { readonly place: Place; readonly collection: Collection; readonly holder: Entry | undefined };

/** A value that will be written; `owned`: as a part of an addition, and so removed with it. */
type Made = { readonly place: Place; readonly value: Value; readonly owned: boolean };

type Wanted = 'map' | 'list';

/** Where people look for a field: before those that come later here, otherwise last. */
const order = ['metadata', 'spec', 'shareProcessNamespace', 'initContainers', 'containers', 'volumes'];

export function planOf(tree: Tree, additions: readonly Addition[]): Plan {
  const changes = new Map<Collection, Change>();
  const fills = new Map<Entry, Fill>();
  const added: string[] = [];
  // Items of lists that are made: what each was put beside.
  const beside = new Map<Value, AddedItem['at']>();
  for (const addition of additions)
    if (isItem(addition)) addItem(addition);
    else addField(addition);
  return { changes, fills, added };

  function addItem({ list, item: given, at }: AddedItem): void {
    const item = plain(given);
    const id = idOf(item);
    const place = [...list, { name: id ?? '' }];
    const spot = spotOf(list, 'list');
    const items = 'value' in spot ? (spot.value as Value[]) : undefined;
    const slots = items?.map((value) => ({ id: idOf(value), at: beside.get(value) })) ?? slotsOf(spot as There);
    if (id === undefined) throw refusal(spot, `An item of ${textOf(list)} needs a name`);
    if (slots.some((slot) => slot.id === id)) throw refusal(spot, `${textOf(place)} is there already`);
    const index = indexFor(slots, at);
    if (index === undefined) throw refusal(spot, `${textOf(list)} has no item ${(at as { after: string }).after}`);
    if (items) {
      items.splice(index, 0, item);
      beside.set(item, at);
    } else slotsOf(spot as There).splice(index, 0, { id, value: item, at });
    if (!isOwned(spot)) note({ place });
  }

  function addField({ map, field, value }: AddedField): void {
    put(spotOf(map, 'map'), field, plain(value ?? null), false);
  }

  function put(spot: There | Made, field: string, value: Value, made: boolean): void {
    const place = [...spot.place, field];
    const fields = 'value' in spot ? (spot.value as Record<string, Value>) : undefined;
    const slots = fields ? [] : slotsOf(spot as There);
    if (fields ? Object.hasOwn(fields, field) : slots.some(({ id }) => id === field))
      throw refusal(spot, `${textOf(place)} is there already`);
    if ('collection' in spot && tree.inherits(spot.collection, field))
      throw refusal(spot, `${textOf(place)} comes from a merge key (<<): write it out`);
    if (fields) fields[field] = value;
    else slots.splice(indexOfField(field, slots, (spot as There).holder), 0, { id: field, value, made });
    if (!isOwned(spot)) note({ place, ...(made && { made: 'new' }) });
  }

  function spotOf(place: Place, wanted: Wanted): There | Made {
    let spot: There | Made = there(tree.root, [], undefined);
    for (const [index, step] of place.entries()) {
      const next = place[index + 1];
      spot = enter(spot, step, next === undefined ? wanted : typeof next === 'string' ? 'map' : 'list');
    }
    return fitting(spot, wanted);
  }

  function there(node: Node, place: Place, holder: Entry | undefined): There {
    if (tree.isShared(node))
      throw tree.fail(`${textOf(place)} has an anchor, and an alias stands for it elsewhere`, node.range![0]);
    return { place, collection: tree.open(node), holder };
  }

  function fitting<T extends There | Made>(spot: T, wanted: Wanted): T {
    const kind = 'collection' in spot ? spot.collection.kind : kindOf(spot.value);
    if (kind !== wanted) throw refusal(spot, `${textOf(spot.place)} is not a ${wanted}`);
    return spot;
  }

  function enter(from: There | Made, step: Step, wanted: Wanted): There | Made {
    const spot = fitting(from, typeof step === 'string' ? 'map' : 'list');
    const place = [...spot.place, step];
    if ('value' in spot) return enterMade(spot, step, wanted, place);
    const { collection } = spot;
    const id = typeof step === 'string' ? step : step.name;
    const slot = changes.get(collection)?.slots.find((each) => !each.entry && each.id === id);
    if (slot) return { place, value: slot.value!, owned: !slot.made };
    const entry = tree.find(collection, id);
    if (typeof step !== 'string') {
      if (!entry) throw refusal(spot, `${textOf(spot.place)} has no item ${id}`);
      return there(entry.value!, place, undefined);
    }
    const value: Value = wanted === 'list' ? [] : {};
    if (!entry) {
      put(spot, step, value, true);
      return { place, value, owned: false };
    }
    if (!isHollow(tree, entry, collection, wanted)) return there(entry.value!, place, entry);
    const fill = fills.get(entry);
    if (fill) return { place, value: fill.value, owned: false };
    const was = hollowText(tree, entry, collection);
    if (was !== '') note({ place, made: `was${was}` });
    fills.set(entry, { collection, value });
    return { place, value, owned: false };
  }

  function enterMade(spot: Made, step: Step, wanted: Wanted, place: Place): Made {
    const { value, owned } = spot;
    if (typeof step !== 'string') {
      const item = (value as Value[]).find((each) => idOf(each) === step.name);
      if (item === undefined) throw refusal(spot, `${textOf(spot.place)} has no item ${step.name}`);
      return { place, value: item, owned: true };
    }
    const fields = value as Record<string, Value>;
    if (fields[step] === null) delete fields[step];
    if (fields[step] === undefined) put(spot, step, wanted === 'list' ? [] : {}, true);
    return { place, value: fields[step]!, owned };
  }

  function slotsOf({ collection, holder }: There): Slot[] {
    const there = () => collection.entries.map((entry) => ({ entry, id: entry.id }));
    return changes.getOrInsertComputed(collection, () => ({ slots: there(), holder })).slots;
  }

  function note(one: Added): void {
    added.push(formatAdded(one));
  }

  function refusal(spot: There | Made, message: string): EditError {
    return tree.fail(message, 'collection' in spot ? spot.collection.node.range![0] : tree.root.range![0]);
  }
}

const textOf = (place: Place) => formatAdded({ place }) || 'The document';

const isOwned = (spot: There | Made) => 'value' in spot && spot.owned;

const kindOf = (value: Value) =>
  Array.isArray(value) ? 'list' : typeof value === 'object' && value !== null ? 'map' : undefined;

/** As JSON: a copy, without what is undefined. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as Value;

/** What an item is known by: its path for a mount, of which several may have one name. */
function idOf(item: Value): string | undefined {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return undefined;
  const id = item.mountPath ?? item.name;
  return id === undefined ? undefined : String(id);
}

/** What was put in the same place before it stays before it. */
function indexFor(slots: readonly Slot[], at: AddedItem['at']): number | undefined {
  if (at === 'end') return slots.length;
  const after = at === 'start' ? undefined : at.after;
  let index = after === undefined ? 0 : slots.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && index === 0) return undefined;
  for (let other = slots[index]?.at; other !== undefined && other !== 'end'; other = slots[index]?.at) {
    if ((other === 'start' ? undefined : other.after) !== after) break;
    index++;
  }
  return index;
}

function indexOfField(field: string, slots: readonly Slot[], holder: Entry | undefined): number {
  const rank = order.indexOf(field);
  const next = rank < 0 ? -1 : slots.findIndex(({ id }) => order.indexOf(id ?? '') > rank);
  // The first field of an item stands on the line of its dash.
  return next > 0 || (next === 0 && holder) ? next : slots.length;
}

/** Whether the field has no value, or null, or in block style `[]` or `{}`: all of them give way. */
function isHollow(tree: Tree, { tokens, value }: Entry, { flow }: Collection, wanted: Wanted): boolean {
  if (isNothing(value)) return true;
  if (flow || !(wanted === 'list' ? isSeq(value) : isMap(value)) || !tokens.value) return false;
  return /^[ \t]+(\[\]|\{\})$/.test(tree.text.slice(headerEnd(tokens), value!.range![1])) && !properties(tokens);
}

/** What gives way, with the white space before it. */
function hollowText(tree: Tree, { tokens, value, start }: Entry, { flow }: Collection): string {
  const property = properties(tokens);
  if (property) throw tree.fail(`${property.source} is of a field without a value: give it one`, property.offset);
  if (!tokens.value) {
    if (flow) throw tree.fail('A field in braces has no value: write [] or {}', start);
    return '';
  }
  const [from, to] = value!.range!;
  const text = tree.text.slice(flow ? from : headerEnd(tokens), to);
  if (/[\n#]/.test(text)) throw tree.fail('A null on a line of its own can not give way', from);
  return flow ? ` ${text}` : text;
}

const properties = ({ sep }: Entry['tokens']) => sep?.find(({ type }) => type === 'anchor' || type === 'tag');
