// Reads a line that is to be one JSON object, once, as strictly as JSON.parse does, and notes on a tape where each of its
// values lies. Nothing becomes a string or an object, and who writes from the tape has nothing to check again. UTF-8 is
// not looked at: whole blocks are checked for less.

import { KeySet, mostKeys, nextSlot, patience, slotOf } from './key-set.ts';
import { type Name, Names } from './names.ts';
import { Scanned, usual } from './scanned.ts';
import { Shape } from './shape.ts';
import { tokens } from './tape.ts';
import { noteConstant, noteNumber, textEnd } from './values.ts';
import { finish, mix, specials } from './words.ts';

const { map, list, text, escaped, width } = tokens;

/** What a line turned out to be. `unsure`: perhaps an object, with keys that are better looked at as strings. */
export type Outcome = 'object' | 'unsure' | 'not an object' | 'too deep' | 'wrong';

/** How many maps and lists within one another: as many as receivers take. */
export const deepest = 100;

/** Of the tape: what is kept for the next line. */
const largest = usual * 64;

// Here and not imported: a constant of another module is looked up each time.
const quote = 0x22;
const comma = 0x2c;
const nine = 0x39;
const colon = 0x3a;
const closeList = 0x5d;
const backslash = 0x5c;
const openMap = 0x7b;
const closeMap = 0x7d;

export class Scanner extends Scanned {
  #outcome: Outcome = 'wrong';
  #end = 0;
  readonly #keys = new KeySet();
  readonly #shape = new Shape();
  /** Of the maps and lists around the one that is read: its place on the tape, how many it has, its name if it is a map. */
  readonly #around = new Int32Array(3 * deepest);
  readonly #names: Names;

  /** @param omit keys that are left out. @param watch keys whose values are asked for. Both of the object itself. */
  constructor({ omit = [], watch = [] }: { omit?: readonly string[]; watch?: readonly string[] } = {}) {
    super(watch.length);
    this.#names = new Names(omit, watch);
  }

  scan(start: number, end: number): Outcome {
    this.#end = end;
    // One line of a megabyte is no reason to keep as much for all that follow.
    if (this.tape.length > largest) this.tape = new Int32Array(usual);
    this.omissions = 0;
    for (let at = 0; at < this.watched.length; at++) this.watched[at] = -1;
    this.#keys.clear();
    const open = this.#past(start);
    this.offset = open;
    if (open >= end || this.bytes[open] !== openMap) return 'not an object';
    this.#outcome = 'wrong';
    this.first = open + 1;
    this.broken = false;
    const close = this.#members(open + 1);
    if (close === -1) return this.#outcome;
    this.last = close - 1;
    const { broken } = this;
    // Bytes behind the line are not its own, whatever sense they make.
    const rest = this.#past(close);
    this.broken = broken;
    if (rest === end) return 'object';
    this.offset = Math.min(rest, end);
    return 'wrong';
  }

  // One long function: what it holds in registers, several short ones would load and store at each of a line's hundred
  // steps, and take half as long again.
  #members(start: number): number {
    const { bytes, view } = this;
    const around = this.#around;
    const { likely } = this.#names;
    const keys = this.#keys;
    const { slots, hashes, first } = keys;
    const shape = this.#shape;
    const { lengths } = shape;
    // Of the object itself: how many keys are as expected, whether one was not, and whether it is to be expected next time.
    let expected = 0;
    let differs = false;
    let learns = false;
    let known = 0;
    const stop = bytes.length - 4;
    let { tape } = this;
    // Of the map or list that is read. A list has no name.
    let depth = 0;
    let place = 0;
    let count = 0;
    let object = keys.object();
    // Of the member of the object itself that is read.
    let name: Name | undefined;
    let member = 0;
    let key = 0;
    let value = 0;

    tape[0] = map;
    let t = width;
    let p = this.#space(start);
    let byte = bytes[p]!;
    if (byte === closeMap) return this.#close(p, 0, t);
    let keyIsDue = true;
    for (;;) {
      if (t + width > tape.length) tape = this.#longer();
      if (byte === quote) {
        const from = ++p;
        let found = 0;
        if (keyIsDue) {
          if (depth === 0 && !differs && shape.isNext(view, from, stop, expected)) {
            p += lengths[expected]!;
            name = shape.names[expected++];
          } else {
            if (depth === 0 && !differs) {
              differs = true;
              learns = shape.learns();
              known = keys.insert(shape.hashes, expected, object);
            }
            let hash = 0;
            while (p <= stop) {
              const word = view.getInt32(p, true);
              found = specials(word);
              if (found === 0) {
                hash = mix(hash, word);
                p += 4;
                continue;
              }
              const bits = 24 - Math.clz32(found & -found);
              p += bits >> 3;
              hash = finish(hash, word & ((1 << bits) - 1), p - from);
              break;
            }
            // Behind the quote of a key there is more than the last three bytes of all.
            if (found === 0 || bytes[p] !== quote) return this.#fail(p, bytes[p] === backslash ? 'unsure' : 'wrong');
            // Which of two would win, and whether two spellings are one key, is for strings to say.
            const whose = hash ^ object;
            let slot = slotOf(whose);
            let tries = known < mostKeys ? patience : 0;
            for (; slots[slot]! >= first && tries > 0; slot = nextSlot(slot)) {
              tries = hashes[slots[slot]! - first] === whose ? 0 : tries - 1;
            }
            if (tries === 0) return this.#fail(p, 'unsure');
            slots[slot] = first + known;
            hashes[known++] = whose;
            keys.count = known;
            if (depth === 0) {
              if (likely[hash & 0xff] !== 0) name = this.#names.find(bytes, from, p);
              if (learns) shape.expect(expected++, { view, from, to: p, hash, name });
            }
          }
          if (depth === 0) {
            member = from - 1;
            key = t;
          }
          tape[t] = text;
          tape[t + 1] = from;
          tape[t + 2] = p;
          t += width;
          p = this.#space(p + 1);
          if (bytes[p] !== colon) return this.#fail(p);
          p = this.#space(p + 1);
          byte = bytes[p]!;
          if (depth === 0) value = p;
          keyIsDue = false;
          continue;
        }
        while (p <= stop) {
          found = specials(view.getInt32(p, true));
          if (found !== 0) {
            p += (31 - Math.clz32(found & -found)) >> 3;
            break;
          }
          p += 4;
        }
        const plain = found !== 0 && bytes[p] === quote;
        if (!plain) {
          const end = textEnd(bytes, view, p);
          if (end === -1) return this.#fail(p);
          p = end;
        }
        tape[t] = plain ? text : escaped;
        tape[t + 1] = from;
        tape[t + 2] = p++;
      } else if (keyIsDue) return this.#fail(p);
      else if ((byte | 0x20) === openMap) {
        if (depth === deepest - 1) return this.#fail(p, 'too deep');
        const isMap = byte === openMap;
        tape[t] = isMap ? map : list;
        tape[t + 1] = 0;
        p = this.#space(p + 1);
        if (bytes[p] !== (isMap ? closeMap : closeList)) {
          around[3 * depth] = place;
          around[3 * depth + 1] = count;
          around[3 * depth + 2] = object;
          depth++;
          place = t;
          count = 0;
          object = isMap ? keys.object() : 0;
          keyIsDue = isMap;
          t += width;
          byte = bytes[p]!;
          continue;
        }
        p++;
      } else {
        const end = byte > nine ? noteConstant(bytes, view, p, tape, t) : noteNumber(bytes, p, tape, t);
        if (end === -1) return this.#fail(p);
        p = end;
      }
      t += width;
      // A value has ended, and whatever ends with it.
      for (;;) {
        count++;
        if (name !== undefined && depth === 0) {
          if (name.watch !== -1) this.#watch(name.watch, value, p);
          if (name.omit) {
            this.omitted[this.omissions++] = member;
            this.omitted[this.omissions++] = p;
            t = key;
            count--;
          }
          name = undefined;
        }
        p = this.#space(p);
        byte = bytes[p]!;
        if (byte === comma) break;
        if (byte !== (object === 0 ? closeList : closeMap)) return this.#fail(p);
        if (depth === 0) {
          if (!differs) shape.holds();
          return this.#close(p, count, t);
        }
        tape[place + 1] = count;
        p++;
        depth--;
        place = around[3 * depth]!;
        count = around[3 * depth + 1]!;
        object = around[3 * depth + 2]!;
      }
      p = this.#space(p + 1);
      byte = bytes[p]!;
      keyIsDue = object !== 0;
    }
  }

  #watch(which: number, start: number, end: number): void {
    this.watched[2 * which] = start;
    this.watched[2 * which + 1] = end;
  }

  #close(p: number, count: number, length: number): number {
    this.tape[1] = count;
    this.length = length;
    return p + 1;
  }

  /** Past white space. */
  #space(p: number): number {
    return this.bytes[p]! > 0x20 ? p : this.#past(p);
  }

  #past(start: number): number {
    const { bytes } = this;
    for (let p = start; p < this.#end; p++) {
      const byte = bytes[p];
      if (byte === 0x0a || byte === 0x0d) this.broken = true;
      else if (byte !== 0x20 && byte !== 0x09) return p;
    }
    // Never back: a text may have run past the end.
    return Math.max(start, this.#end);
  }

  #longer(): Int32Array<ArrayBuffer> {
    const longer = new Int32Array(this.tape.length * 2);
    longer.set(this.tape);
    this.tape = longer;
    return longer;
  }

  #fail(p: number, outcome: Outcome = 'wrong'): number {
    this.offset = Math.min(p, this.#end);
    this.#outcome = outcome;
    return -1;
  }
}
