// The keys that matter of an object that is scanned: what comes under them is left out, or asked for.

import { hashOf } from './words.ts';

export type Name = {
  readonly bytes: Uint8Array;
  readonly omit: boolean;
  /** Its place among those that are asked for, -1 if it is not. */
  readonly watch: number;
};

export class Names {
  /** Which low bytes of hashes are worth a look at the names. */
  readonly likely = new Uint8Array(256);
  readonly #names: readonly Name[];

  constructor(omit: readonly string[], watch: readonly string[]) {
    this.#names = [...new Set([...omit, ...watch])].map((name) => {
      const bytes = Buffer.from(name);
      this.likely[hashOf(bytes) & 0xff] = 1;
      return { bytes, omit: omit.includes(name), watch: watch.indexOf(name) };
    });
  }

  find(bytes: Uint8Array, start: number, end: number): Name | undefined {
    for (const name of this.#names) if (same(bytes, start, end, name.bytes)) return name;
    return undefined;
  }
}

function same(bytes: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  if (name.length !== end - start) return false;
  for (let at = 0; at < name.length; at++) if (bytes[start + at] !== name[at]) return false;
  return true;
}
