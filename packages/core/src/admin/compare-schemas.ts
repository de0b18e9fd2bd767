// Whether every value of one JSON Schema is one of another, as far as the schemas of routes go.

import {
  alternatives,
  described,
  isSchema,
  list,
  namesIn,
  placesOf,
  propertiesOf,
  resolve,
  type Schema,
  same,
  tightened,
  typeName,
  valuesOf,
} from './schema-forms.ts';

export type Misfit = { readonly path: string; readonly what: string };

/** Who writes the value: the client a body (`input`) or a parameter, whose numbers are `text` too; we an `output`. */
export type Position = 'input' | 'text' | 'output';

type Side = { readonly root: object; readonly schema: unknown };

/** Why `after` is no substitute for `before`; empty when it is. */
export function notFitting({ before, after }: { before: Side; after: Side }, position: Position): Misfit[] {
  return position === 'output'
    ? new Fitting([before.root, after.root], position).misfits(before.schema, after.schema, '')
    : new Fitting([after.root, before.root], position).misfits(after.schema, before.schema, '');
}

/**
 * `wide` must take whatever `narrow` allows. In outputs `wide` is what clients know and `narrow` what they get; in inputs
 * `wide` is what is taken and `narrow` what clients send.
 */
class Fitting {
  readonly #roots: readonly [wide: object, narrow: object];
  readonly #position: Position;
  // Schemas that hold themselves: a pair that is being looked at is taken to fit.
  readonly #looking = new Set<string>();

  constructor(roots: readonly [object, object], position: Position) {
    this.#roots = roots;
    this.#position = position;
  }

  get #output(): boolean {
    return this.#position === 'output';
  }

  misfits(wideOrRef: unknown, narrowOrRef: unknown, path: string): Misfit[] {
    const key = `${JSON.stringify(wideOrRef)} ${JSON.stringify(narrowOrRef)}`;
    if (this.#looking.has(key)) return [];
    this.#looking.add(key);
    const wide = resolve(wideOrRef, this.#roots[0]);
    const narrow = resolve(narrowOrRef, this.#roots[1]);
    const misfits = [
      ...(this.#output ? this.#valuesGone(wide, narrow, path) : this.#defaultChanged(wide, narrow, path)),
      // Each alternative of the one must fit some alternative of the other.
      ...alternatives(narrow, this.#roots[1]).flatMap((one) => this.#fitSome(wide, one, path)),
    ];
    this.#looking.delete(key);
    return misfits;
  }

  /** Of an enum that clients receive, no value goes either. */
  #valuesGone(before: Schema, after: Schema, path: string): Misfit[] {
    const possible = alternatives(after, this.#roots[1]);
    const gone = alternatives(before, this.#roots[0])
      .flatMap((each) => valuesOf(each) ?? [])
      .filter((value) => value !== null && !possible.some((each) => this.#takes(each, value)));
    return gone.length > 0 ? [{ path, what: `${list(gone)} can never come now` }] : [];
  }

  #defaultChanged(after: Schema, before: Schema, path: string): Misfit[] {
    if (!('default' in before) || same(before.default, after.default)) return [];
    return [{ path, what: `default ${list([before.default])} is now ${list([after.default])}` }];
  }

  #fitSome(wide: Schema, narrow: Schema, path: string): Misfit[] {
    if (narrow.not !== undefined) return [];
    let nearest: { readonly misfits: Misfit[]; readonly distance: number } | undefined;
    for (const choice of alternatives(wide, this.#roots[0])) {
      const misfits = this.#fitOne(choice, narrow, path);
      if (misfits.length === 0) return [];
      // What is said is about the alternative that was meant, as far as one can tell.
      const distance = misfits.length + (choice.type === narrow.type ? 0 : 1_000);
      if (!nearest || distance < nearest.distance) nearest = { misfits, distance };
    }
    return nearest?.misfits ?? [];
  }

  #fitOne(wide: Schema, narrow: Schema, path: string): Misfit[] {
    if (wide.not !== undefined) return this.#refused('something', path);
    // One value is what a repeated key is that comes once.
    if (this.#position === 'text' && wide.type === 'array' && narrow.type !== 'array')
      return this.misfits(wide.items, narrow, path);
    const values = valuesOf(narrow);
    if (values) {
      const strange = values.filter((value) => !this.#takes(wide, value));
      return strange.length > 0 ? this.#refused(list(strange), path) : [];
    }
    const known = valuesOf(wide);
    if (known) return this.#refused(`more than ${list(known)}`, path);
    if (!this.#fitsType(wide, narrow)) return [this.#changed('', typeName(wide), typeName(narrow), path)];
    return [
      ...tightened(wide, narrow).map((word) =>
        this.#changed(`${word} `, list([wide[word]]), list([narrow[word]]), path),
      ),
      ...this.#fitArray(wide, narrow, path),
      ...this.#fitObject(wide, narrow, path),
    ];
  }

  #refused(what: string, path: string): Misfit[] {
    return [{ path, what: `${what} ${this.#output ? 'can come now' : 'is not taken any more'}` }];
  }

  #changed(word: string, wide: string, narrow: string, path: string): Misfit {
    const [before, after] = this.#output ? [wide, narrow] : [narrow, wide];
    return { path, what: `${word}${before} is now ${after}` };
  }

  #fitsType({ type: wide }: Schema, { type: narrow }: Schema): boolean {
    if (wide === undefined || wide === narrow) return true;
    // A parameter is text whatever it stands for.
    if (this.#position === 'text' && wide === 'string') return /^(?:integer|number|boolean)$/.test(String(narrow));
    return wide === 'number' && narrow === 'integer';
  }

  #takes(wide: Schema, value: unknown): boolean {
    const known = valuesOf(wide);
    if (known) return known.some((each) => same(each, value));
    const narrow = described(value, wide);
    return this.#fitsType(wide, narrow) && tightened(wide, narrow).length === 0;
  }

  #fitArray(wide: Schema, narrow: Schema, path: string): Misfit[] {
    const [known, given] = [placesOf(wide), placesOf(narrow)];
    const places = Array.from({ length: Math.max(known.length, given.length) }, (_, place) =>
      this.misfits(known[place] ?? wide.items, given[place] ?? narrow.items, `${path}[${place}]`),
    );
    return [...places.flat(), ...(wide.items === undefined ? [] : this.misfits(wide.items, narrow.items, `${path}[]`))];
  }

  #fitObject(wide: Schema, narrow: Schema, path: string): Misfit[] {
    const at = (name: string) => (path ? `${path}.${name}` : name);
    const [known, given] = [propertiesOf(wide), propertiesOf(narrow)];
    // Whichever side they stand on, what was there before must be there after.
    const [before, after] = this.#output ? [known, given] : [given, known];
    const removed = Object.keys(before).filter((name) => !(name in after));
    const shared = Object.keys(known).filter((name) => name in given);
    return [
      ...removed.map((name) => ({ path: at(name), what: 'removed' })),
      ...this.#fitRequired(wide, narrow, at),
      ...shared.flatMap((name) => this.misfits(known[name], given[name], at(name))),
      ...this.#fitUnnamed(wide, narrow, at),
    ];
  }

  #fitRequired(wide: Schema, narrow: Schema, at: (name: string) => string): Misfit[] {
    const present = namesIn(narrow.required);
    const given = propertiesOf(narrow);
    const missing = [...namesIn(wide.required)].filter((name) => !present.has(name));
    if (this.#output)
      return missing.filter((name) => name in given).map((name) => ({ path: at(name), what: 'may be missing now' }));
    return missing.map((name) => ({ path: at(name), what: name in given ? 'required now' : 'new and required' }));
  }

  /** Properties that one side names and the other does not, or neither does. Clients leave alone what they do not know. */
  #fitUnnamed(wide: Schema, narrow: Schema, at: (name: string) => string): Misfit[] {
    const [known, given] = [propertiesOf(wide), propertiesOf(narrow)];
    const [others, givenOthers] = [wide.additionalProperties, narrow.additionalProperties];
    const strange = Object.entries(given).filter(([name]) => !(name in known));
    const fresh = Object.entries(known).filter(([name]) => !(name in given));
    return [
      ...(this.#output && isSchema(others)
        ? strange.flatMap(([name, each]) => this.misfits(others, each, at(name)))
        : []),
      ...(isSchema(givenOthers) ? fresh.flatMap(([name, each]) => this.misfits(each, givenOthers, at(name))) : []),
      ...(isSchema(others) && givenOthers !== false ? this.misfits(others, givenOthers, at('*')) : []),
      ...(others === false && givenOthers !== false && !this.#output ? this.#refused('anything else', at('*')) : []),
      ...(wide.propertyNames === undefined
        ? []
        : this.misfits(wide.propertyNames, narrow.propertyNames, at('(names)'))),
    ];
  }
}
