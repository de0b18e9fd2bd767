// Which rule a request gets: the first that fits. Rules are compared with the octets of the request as they arrived; only a
// path that is not plain, which an honest client seldom sends, is taken apart.

import { COLON, SEMICOLON, SLASH } from '../http/octets.ts';
import { type Refusal, refusals } from '../http/refusal.ts';
import type { RequestHead } from '../http/request-head.ts';
import { doubledNames, namesOf, otherNames, pathRefusals, readPath } from './path.ts';
import { isWrittenPlainly, replaced, restOf, splitTarget } from './rewrite.ts';
import { fitsHost, fitsMethod, fitsNames, fitsOctets, keepsAway, type Rule, rewrites } from './rule.ts';
import { otherwiseName } from './rules.ts';

const ASTERISK = 0x2a;
const DOT = 0x2e;
const PERCENT = 0x25;
const QUESTION = 0x3f;
const BRACKET = 0x5d;

/** What requests get for which there is no rule: --upstream, with nothing changed. */
export const otherwise: Rule = {
  name: otherwiseName,
  place: '',
  host: undefined,
  path: undefined,
  methods: undefined,
  deny: undefined,
  redirect: undefined,
  upstream: undefined,
  replacement: undefined,
  request: undefined,
  response: undefined,
  bodyLimit: undefined,
  upstreamTimeout: undefined,
};

export const isRefusal = (found: Rule | Refusal): found is Refusal => 'reason' in found;

export class Router {
  readonly rules: readonly Rule[];
  /** After `find`: what the application gets in place of the client's target; undefined when it gets that. */
  target: string | undefined;
  readonly #looksAtHosts: boolean;
  readonly #looksAtPaths: boolean;
  /** Where the host of the request stands that is being looked at, without port. */
  #hostStart = 0;
  #hostEnd = 0;

  constructor(rules: readonly Rule[]) {
    this.rules = rules;
    this.#looksAtHosts = rules.some(({ host }) => host !== undefined);
    this.#looksAtPaths = rules.some((rule) => rule.path !== undefined || rewrites(rule));
  }

  find(buffer: Buffer, head: RequestHead): Rule | Refusal {
    this.target = undefined;
    if (this.#looksAtHosts && !this.#findHost(buffer, head)) return refusals.host;
    const { targetStart, rewritten } = head;
    if (rewritten !== undefined) return this.#findByText(buffer, head, rewritten);
    const end = this.#looksAtPaths ? plainEnd(buffer, targetStart, head.targetEnd) : targetStart;
    if (end < 0) return this.#findByText(buffer, head, buffer.toString('latin1', targetStart, head.targetEnd));
    for (const rule of this.rules) {
      if (!fitsOctets(rule, buffer, targetStart, end)) continue;
      if (!fitsHost(rule, buffer, this.#hostStart, this.#hostEnd) || !fitsMethod(rule, head.method)) continue;
      if (rule.replacement !== undefined && end > targetStart) this.#replace(rule, buffer, head);
      return rule;
    }
    return otherwise;
  }

  /** Returns false when the host is not written plainly: some would unescape it and some would not. */
  #findHost(buffer: Buffer, { hostStart, hostEnd }: RequestHead): boolean {
    let end = hostEnd;
    for (let i = hostEnd - 1; i >= hostStart && buffer[i] !== BRACKET; i--) {
      if (buffer[i] === PERCENT) return false;
      if (buffer[i] === COLON) end = i;
    }
    // The root of all names: `example.com.` is `example.com`.
    if (end > hostStart && buffer[end - 1] === DOT) end--;
    this.#hostStart = hostStart;
    this.#hostEnd = end;
    return true;
  }

  #replace({ path, replacement = '' }: Rule, buffer: Buffer, { targetStart, targetEnd }: RequestHead): void {
    this.target = replaced(replacement, buffer.toString('latin1', targetStart + (path?.octets.length ?? 0), targetEnd));
  }

  /** The same for a path that is not plain. */
  #findByText(buffer: Buffer, head: RequestHead, target: string): Rule | Refusal {
    const { path, query } = splitTarget(target);
    const first = (names: readonly string[]) => this.#firstFor(buffer, head, names);
    if (!this.#looksAtPaths || !path.startsWith('/')) return first([]);
    const read = readPath(path);
    if ('reason' in read) return read;
    const rule = first(namesOf(read));
    if (rewrites(rule) && !isWrittenPlainly(read, rule)) return pathRefusals.prefix;
    if (keepsAway(rule)) return rule;
    // Whatever the application takes the path for, no rule that would have kept it away may be passed.
    if (otherNames(read).some((names) => keepsAway(first(names)))) return pathRefusals.ambiguous;
    const depth = rule.path?.names.length ?? 0;
    if (rule.replacement !== undefined) this.target = replaced(rule.replacement, restOf(read, depth) + query);
    else if (read.dots || (read.doubled && first(doubledNames(read.doubled)) !== rule)) this.target = read.text + query;
    return rule;
  }

  #firstFor(buffer: Buffer, { method }: RequestHead, names: readonly string[]): Rule {
    for (const rule of this.rules) {
      if (!fitsNames(rule, names) || !fitsMethod(rule, method)) continue;
      if (fitsHost(rule, buffer, this.#hostStart, this.#hostEnd)) return rule;
    }
    return otherwise;
  }
}

/** Where the path in buffer[start, end) ends when it is plain; -1 when it has to be taken apart. */
function plainEnd(buffer: Uint8Array, start: number, end: number): number {
  if (buffer[start] === ASTERISK) return start;
  for (let i = start; i < end; i++) {
    const octet = buffer[i]!;
    if (octet === SLASH) {
      const next = i + 1 < end ? buffer[i + 1] : QUESTION;
      if (next === SLASH || next === DOT) return -1;
    } else if (octet === QUESTION) return i;
    else if (octet === PERCENT || octet === SEMICOLON || octet >= 0x80) return -1;
  }
  return end;
}
