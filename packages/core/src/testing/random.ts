// Chance that can be had again: the same seed gives the same numbers.

/** From 0 to 1. */
export type Random = () => number;

/** mulberry32. Several seeds make one: whoever needs chance of its own adds a number of its own. */
export function seeded(...seeds: readonly number[]): Random {
  let state = 0;
  for (const seed of seeds) state = Math.imul(state ^ seed ^ (seed >>> 16), 0x9e3779b1) + 0x6d2b79f5;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An integer from 0 to below the limit. */
export const below = (random: Random, limit: number): number => Math.floor(random() * limit);

/** An integer from `least` to `most`. */
export const between = (random: Random, least: number, most: number): number =>
  least + Math.floor(random() * (most - least + 1));

export const oneOf = <T>(random: Random, things: readonly T[]): T => things[Math.floor(random() * things.length)]!;

/** A key of the record, as often as its weight says. */
export function choose<K extends string>(random: Random, weights: Readonly<Record<K, number>>): K {
  const entries = Object.entries(weights) as [K, number][];
  let left = random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [key, weight] of entries) {
    left -= weight;
    if (left < 0) return key;
  }
  return entries.at(-1)![0];
}

/** Draws things in a random order, each once before any comes again: what is to be met is met soon. */
export function deck<T>(random: Random, things: readonly T[]): () => T {
  const left: T[] = [];
  return () => {
    if (left.length === 0) left.push(...things);
    return left.splice(Math.floor(random() * left.length), 1)[0]!;
  };
}
