// The rules in force. Core reads the file of the parameter, watches it, and keeps the rules there are while a changed file is
// wrong; what is left to do is to take new rules into use and to say what they change.

import { isDeepStrictEqual } from 'node:util';
import type { Events } from '@outrigger/core';
import { Router } from './router.ts';
import type { RoutesFile, WrittenRule } from './rules.ts';

/** By name. */
export type RoutesChange = {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  /** The rules that stay are tried in another order. */
  readonly reordered: boolean;
};

export type RoutesOptions = {
  /** What the parameter says now; undefined without a file. */
  readonly file: () => RoutesFile | undefined;
  /** Tell when parameters were read again. */
  readonly events: Pick<Events, 'listen'>;
  readonly changed: (change: RoutesChange) => void;
};

export class Routes implements Disposable {
  readonly #options: RoutesOptions;
  readonly #stopListening: () => void;
  #file: RoutesFile | undefined;
  #router: Router;

  constructor(options: RoutesOptions) {
    this.#options = options;
    this.#file = options.file();
    this.#router = new Router(this.#file?.rules ?? []);
    this.#stopListening = options.events.listen(() => this.#look());
  }

  /** Asked for each request: rules count from the moment on in which the parameter has them. */
  get router(): Router {
    this.#look();
    return this.#router;
  }

  get file(): RoutesFile | undefined {
    this.#look();
    return this.#file;
  }

  /** Where rules send requests, beside --upstream: each once. */
  get upstreams(): readonly string[] {
    return upstreamsOf(this.file);
  }

  #look(): void {
    const file = this.#options.file();
    if (file === this.#file) return;
    const change = changeOf(this.#file, file);
    this.#file = file;
    this.#router = new Router(file?.rules ?? []);
    if (change) this.#options.changed(change);
  }

  [Symbol.dispose](): void {
    this.#stopListening();
  }
}

export const upstreamsOf = (file: RoutesFile | undefined): string[] => [
  ...new Set((file?.rules ?? []).flatMap(({ upstream }) => upstream ?? [])),
];

/** Undefined when the rules are the same, if at other lines. */
export function changeOf(before: RoutesFile | undefined, after: RoutesFile | undefined): RoutesChange | undefined {
  const [old, now] = [byName(before), byName(after)];
  const added = [...now.keys()].filter((name) => !old.has(name));
  const removed = [...old.keys()].filter((name) => !now.has(name));
  const changed = [...now].filter(([name, rule]) => old.has(name) && !isDeepStrictEqual(rule, old.get(name)));
  const staying = (one: Names, other: Names) => [...one.keys()].filter((name) => other.has(name));
  const reordered = !isDeepStrictEqual(staying(old, now), staying(now, old));
  if (added.length + removed.length + changed.length === 0 && !reordered) return undefined;
  return { added, removed, changed: changed.map(([name]) => name), reordered };
}

type Names = ReadonlyMap<string, WrittenRule | undefined>;

const byName = (file: RoutesFile | undefined): Names =>
  new Map((file?.rules ?? []).map((rule) => [rule.name, file?.written.get(rule)]));
