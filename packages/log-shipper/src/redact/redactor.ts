// Takes secrets out of texts and of values as JSON holds them. What cannot be looked at to its end is an error: nobody can
// say that it holds none.

import { Prefilter } from './prefilter.ts';
import type { Budget, Rule } from './rule.ts';
import type { KeyRule } from './secret.ts';
import { viewOf } from './view.ts';

/** Told of each secret by the name of its rule. */
export type Count = (rule: string) => void;

const deepest = 100;

export class Redactor {
  readonly #rules: readonly Rule[];
  readonly #keyRules: readonly KeyRule[];
  readonly #count: Count;
  readonly #names = new Map<string, string | undefined>();
  /** Undefined when a rule has to see every line. */
  readonly prefilter: Prefilter | undefined;

  constructor(rules: readonly Rule[], count: Count) {
    this.#rules = rules;
    this.#keyRules = rules.filter((rule): rule is KeyRule => 'names' in rule);
    this.#count = count;
    const looks = rules.map(({ looks }) => looks).filter((each) => each !== 'always');
    this.prefilter =
      looks.length < rules.length
        ? undefined
        : new Prefilter({
            anchors: looks.flatMap(({ anchors = [] }) => anchors),
            cards: looks.some(({ cards }) => cards),
            // Escapes hide everything.
            needles: [...new Set(['\\u', '\\/', ...looks.flatMap(({ needles = [] }) => needles)])],
            pairs: looks.flatMap(({ pairs = [] }) => pairs),
          });
  }

  /** The same string where there is nothing. */
  text(source: string, budget: Budget): string {
    if (this.prefilter && !this.prefilter.test(source)) return source;
    return this.look(source, budget);
  }

  /** The same for a text that the prefilter has marked. */
  look(source: string, budget: Budget): string {
    const view = viewOf(source);
    const found: Found[] = [];
    for (const { name, find } of this.#rules)
      find(view.text, (start, end) => found.push({ start: view.place(start), end: view.place(end), name }), budget);
    if (found.length === 0) return source;
    return this.#replace(source, found);
  }

  #replace(source: string, found: Found[]): string {
    found.sort((one, other) => one.start - other.start || other.end - one.end);
    const quoting = new Quoting(source);
    let text = '';
    let from = 0;
    for (let at = 0; at < found.length; ) {
      const { start, name } = found[at]!;
      let { end } = found[at]!;
      // What overlaps is one: the rule that found the beginning names it.
      for (at++; at < found.length && found[at]!.start < end; at++) end = Math.max(end, found[at]!.end);
      this.#count(name);
      const note = noteOf(name);
      text += source.slice(from, start) + (quoting.needed(start, end) ? `"${note}"` : note);
      from = end;
    }
    return text + source.slice(from);
  }

  /** The same value where there is nothing; else a copy of what has changed. */
  value(value: unknown, budget: Budget, depth = 0): unknown {
    if (typeof value === 'string') return this.text(value, budget);
    if (typeof value === 'number') return Number.isInteger(value) ? this.#number(value, String(value), budget) : value;
    if (typeof value !== 'object' || value === null) return value;
    if (JSON.isRawJSON(value)) return this.#number(value, value.rawJSON, budget);
    if (depth > deepest) throw new Error(`nested more than ${deepest} deep`);
    budget.spend();
    return Array.isArray(value) ? this.#array(value, budget, depth) : this.#object(value, budget, depth);
  }

  /** A number that has to go becomes a string. */
  #number(value: unknown, written: string, budget: Budget): unknown {
    const text = this.text(written, budget);
    return text === written ? value : text;
  }

  #array(value: readonly unknown[], budget: Budget, depth: number): readonly unknown[] {
    let changed: unknown[] | undefined;
    for (const [index, item] of value.entries()) {
      const now = this.value(item, budget, depth + 1);
      if (now === item) continue;
      changed ??= [...value];
      changed[index] = now;
    }
    return changed ?? value;
  }

  #object(value: object, budget: Budget, depth: number): object {
    let changed = false;
    const pairs = Object.entries(value).map(([key, item]): [string, unknown] => {
      const name = this.#names.has(key) ? this.#names.get(key) : this.#learn(key);
      const shown = name === undefined ? this.text(key, budget) : key;
      const now = name === undefined ? this.value(item, budget, depth + 1) : this.#named(name, item);
      if (now !== item || shown !== key) changed = true;
      return [shown, now];
    });
    return changed ? fromPairs(pairs) : value;
  }

  /** The rule by which a key names a secret. Keys repeat; what is remembered of them is bounded. */
  #learn(key: string): string | undefined {
    // How it ends is what counts.
    const end = key.slice(-128);
    const name = this.#keyRules.find((rule) => rule.names(end))?.name;
    if (key.length > 128) return name;
    if (this.#names.size >= 4096) this.#names.clear();
    this.#names.set(key, name);
    return name;
  }

  #named(name: string, item: unknown): unknown {
    if (item === null || typeof item === 'boolean' || item === undefined) return item;
    if (typeof item === 'string' && (item === '' || isNote(item))) return item;
    this.#count(name);
    return noteOf(name);
  }
}

type Found = { readonly start: number; readonly end: number; readonly name: string };

const noteOf = (name: string) => `[REDACTED:${name}]`;
const isNote = (text: string) => /^(?:(?:Bearer|Basic) )?\[REDACTED:[^\]]*\]$|^\*+$/i.test(text);

/** Two keys that were secrets themselves are alike now. Nothing is inherited: `__proto__` is a key like any other. */
function fromPairs(pairs: readonly (readonly [string, unknown])[]): object {
  const taken = new Map<string, unknown>();
  for (const [key, item] of pairs) taken.set(taken.has(key) ? `${key} ${taken.size}` : key, item);
  return Object.fromEntries(taken);
}

/** Whether what stands in place of something must be a string of its own, for the text to stay JSON. */
class Quoting {
  readonly #source: string;
  readonly #isJson: boolean;
  #at = 0;
  #inString = false;

  constructor(source: string) {
    this.#source = source;
    this.#isJson = /^\s*[[{]/.test(source);
  }

  /** To be asked in ascending order. */
  needed(start: number, end: number): boolean {
    if (!this.#isJson) return false;
    const source = this.#source;
    for (; this.#at < start; this.#at++) {
      if (this.#inString && source[this.#at] === '\\') this.#at++;
      else if (source[this.#at] === '"') this.#inString = !this.#inString;
    }
    // Inside the brackets of a value there may be strings; it ends where it began, outside of one.
    const inString = this.#inString;
    this.#at = Math.max(this.#at, end);
    return !inString && /[:,[]\s*$/.test(source.slice(Math.max(0, start - 16), start));
  }
}
