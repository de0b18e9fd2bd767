// What compose puts into a workload. Only things that are not there are added and nothing that somebody wrote is changed, so
// each form of output is a way to write additions down, and to remove is to take them out again.

/** A step into a list is the item that has this name (or `mountPath`), not its index: additions move indices. */
export type Step = string | { readonly name: string };

/** From the root of the workload's document. */
export type Place = readonly Step[];

export type Addition = AddedItem | AddedField;

/** An item of a list. A list that is not there is made, and so are the maps around it. */
export type AddedItem = {
  readonly list: Place;
  /** What Kubernetes merges the items of this list by. */
  readonly key: 'name' | 'mountPath';
  readonly item: Readonly<Record<string, unknown>>;
  /** 'start': before all that was there; additions keep their order. `after` names an item that is there, added or not. */
  readonly at: 'start' | 'end' | { readonly after: string };
};

/** A field that its map does not have. Maps that are not there are made. */
export type AddedField = { readonly map: Place; readonly field: string; readonly value: unknown };

export const isItem = (addition: Addition): addition is AddedItem => 'list' in addition;

/** Where an addition stands once it is made. */
export function placeOf(addition: Addition): Place {
  if (!isItem(addition)) return [...addition.map, addition.field];
  return [...addition.list, { name: String(addition.item[addition.key]) }];
}

const plain = /^[\w-]+$/;

/** `spec.template.spec.initContainers[proxy].volumeMounts[/tls]`, for messages. */
export const formatPlace = (place: Place): string =>
  place
    .map((step, index) => {
      if (typeof step !== 'string') return `[${step.name}]`;
      return `${index > 0 ? '.' : ''}${plain.test(step) ? step : JSON.stringify(step)}`;
    })
    .join('');
