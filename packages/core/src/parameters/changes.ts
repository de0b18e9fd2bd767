// What another reading of the parameters would change, and putting it in place.

import type { Entry } from './names.ts';
import type { Effective, Resolved } from './resolve.ts';

/** One parameter's value before and after, redacted and as written; undefined where it is not given. */
export type Change = {
  /** `--period` */
  readonly name: string;
  readonly key: string;
  readonly from: unknown;
  readonly to: unknown;
  /** Where the new value comes from. */
  readonly source: string;
};

type Read = Pick<Resolved<Record<string, never>>, 'effective' | 'identities'>;

/** The entries whose values differ; not those that are only written or placed in another way. */
export const differing = (entries: readonly Entry[], before: Read, after: Read): Entry[] =>
  entries.filter(({ key }) => before.identities.get(key) !== after.identities.get(key));

export function changeOf({ key, flags }: Entry, before: Read, after: Read): Change {
  const [from, to] = [before.effective[key], after.effective[key]];
  return { name: flags[0]!, key, from: from?.value, to: to?.value, source: to?.source ?? 'not given any more' };
}

/**
 * Whether a change can be made while it runs. A secret reads its own file again; what a family's member reads depends on
 * the member being there before and after.
 */
export function isLive(entry: Entry, before: Read, after: Read): boolean {
  const { parameter, owner } = entry;
  if (owner && !sameChoice(owner.entry, before, after)) return owner.entry.parameter.reloadable;
  return (
    parameter.reloadable || (parameter.secret && sameFile(before.effective[entry.key], after.effective[entry.key]))
  );
}

const sameChoice = ({ key }: Entry, before: Read, after: Read) =>
  before.identities.get(key) === after.identities.get(key);

const sameFile = (before?: Effective, after?: Effective) =>
  String(before?.value).startsWith('[file ') && before?.value === after?.value;

export type Live = Record<string, unknown>;
type Chosen = { readonly name: string; readonly parameters: Live };

/** Puts the new value of a parameter in the place of the old one, where whoever reads it looks. */
export function putInPlace({ key, owner, parameter }: Entry, live: Live, fresh: Readonly<Live>): void {
  // Its file may have been swapped for another content; the one that is in use notices by itself.
  if (parameter.secret && !parameter.reloadable) return;
  if (!owner) {
    live[key] = fresh[key];
    return;
  }
  const to = memberOf(owner.entry.key, owner.member, live);
  const from = memberOf(owner.entry.key, owner.member, fresh);
  if (to && from) to.parameters[owner.key] = from.parameters[owner.key];
}

/** Values to try changes on: what a family's members read is copied as well. */
export function copyOf(values: Readonly<Live>, entries: readonly Entry[]): Live {
  const copy = { ...values };
  const member = (chosen: Chosen) => chosen && { ...chosen, parameters: { ...chosen.parameters } };
  for (const { key, parameter } of entries) {
    const value = parameter.members && copy[key];
    if (value) copy[key] = Array.isArray(value) ? value.map(member) : member(value as Chosen);
  }
  return copy;
}

/** A family's member as it was chosen, if it was. */
export const memberOf = (family: string, member: string, values: Readonly<Live>): Chosen | undefined =>
  ([values[family]].flat() as (Chosen | undefined)[]).find((chosen) => chosen?.name === member);
