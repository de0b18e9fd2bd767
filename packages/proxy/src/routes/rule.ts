// A rule of the routes file, and which requests it is for.

import { equalsIgnoringCase, SLASH } from '../http/octets.ts';
import type { HeaderEdits } from './header-edits.ts';

export type Rule = {
  readonly name: string;
  /** `routes.yaml:4:5` */
  readonly place: string;
  readonly host: HostPattern | undefined;
  /** Undefined for every path, and for `OPTIONS *`, which has none. */
  readonly path: PathPrefix | undefined;
  readonly methods: ReadonlySet<string> | undefined;
  /** Status to answer with. */
  readonly deny: number | undefined;
  readonly redirect: Redirect | undefined;
  /** As the URL parser writes it; undefined for --upstream. */
  readonly upstream: string | undefined;
  /** What the application gets in place of `path`, without slash at its end; undefined where paths stay. */
  readonly replacement: string | undefined;
  readonly request: HeaderEdits | undefined;
  readonly response: HeaderEdits | undefined;
  /** In place of --body-limit. */
  readonly bodyLimit: number | undefined;
  /** Milliseconds, in place of --upstream-timeout. */
  readonly upstreamTimeout: number | undefined;
};

export type Redirect = {
  /** Without slash at its end when paths are kept. */
  readonly to: string;
  readonly status: number;
  /** What follows the rule's path, and the query, are appended. */
  readonly keepPath: boolean;
  /** How many segments the rule's path has, which are not appended. */
  readonly depth: number;
};

export type HostPattern = {
  /** Lower case; of `*.example.com`, `.example.com`. */
  readonly octets: Uint8Array;
  readonly wildcard: boolean;
};

export type PathPrefix = {
  /** `/admin`: starts with a slash and ends without one. */
  readonly octets: Uint8Array;
  readonly names: readonly string[];
  readonly ignoreCase: boolean;
};

/** The rule answers by itself, so that the request never gets to an application. */
export const keepsAway = ({ deny, redirect }: Rule): boolean => deny !== undefined || redirect !== undefined;

/** It takes a path's beginning away. */
export const rewrites = ({ replacement, redirect }: Rule): boolean =>
  replacement !== undefined || redirect?.keepPath === true;

export const fitsMethod = ({ methods }: Rule, method: string): boolean => methods === undefined || methods.has(method);

/** @param buffer has the host in [start, end), without port */
export function fitsHost({ host }: Pick<Rule, 'host'>, buffer: Uint8Array, start: number, end: number): boolean {
  if (host === undefined) return true;
  if (!host.wildcard) return equalsIgnoringCase(buffer, start, end, host.octets);
  const label = end - host.octets.length;
  if (label <= start || !equalsIgnoringCase(buffer, label, end, host.octets)) return false;
  for (let i = start; i < label; i++) if (buffer[i] === 0x2e) return false;
  return true;
}

/** @param buffer has the path in [start, end), with nothing to unescape or clean; an empty one of `OPTIONS *` */
export function fitsOctets({ path }: Rule, buffer: Uint8Array, start: number, end: number): boolean {
  if (path === undefined) return true;
  const { octets, ignoreCase } = path;
  const after = start + octets.length;
  if (after > end || (after < end && buffer[after] !== SLASH)) return false;
  if (ignoreCase) return equalsIgnoringCase(buffer, start, after, octets);
  for (let i = 0; i < octets.length; i++) if (buffer[start + i] !== octets[i]) return false;
  return true;
}

/** The same for segments that are clean. */
export function fitsNames({ path }: Pick<Rule, 'path'>, names: readonly string[]): boolean {
  if (path === undefined) return true;
  const same = path.ignoreCase ? sameIgnoringCase : Object.is;
  return names.length >= path.names.length && path.names.every((name, index) => same(names[index], name));
}

const sameIgnoringCase = (name: string | undefined, lower: string) => lowerCase(name ?? '') === lower;

/** Of ASCII alone, as octets are compared. */
export const lowerCase = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** Whoever `later` is for, `earlier` is for as well. */
export function covers(earlier: Rule, later: Rule): boolean {
  return coversHost(earlier.host, later.host) && coversPath(earlier, later.path) && coversMethods(earlier, later);
}

function coversHost(earlier: HostPattern | undefined, later: HostPattern | undefined): boolean {
  if (earlier === undefined || later === undefined) return earlier === undefined;
  if (later.wildcard) return earlier.wildcard && Buffer.compare(earlier.octets, later.octets) === 0;
  return fitsHost({ host: earlier }, later.octets, 0, later.octets.length);
}

function coversPath(earlier: Rule, later: PathPrefix | undefined): boolean {
  if (earlier.path === undefined || later === undefined) return earlier.path === undefined;
  return (earlier.path.ignoreCase || !later.ignoreCase) && fitsNames(earlier, later.names);
}

function coversMethods({ methods: earlier }: Rule, { methods: later }: Rule): boolean {
  if (earlier === undefined || later === undefined) return earlier === undefined;
  return later.isSubsetOf(earlier);
}
