// What becomes of a target whose beginning a rule replaces or takes away.

import type { RequestHead } from '../http/request-head.ts';
import { type CleanPath, readPath, textOf, withoutParameters } from './path.ts';
import { fitsNames, type Redirect, type Rule } from './rule.ts';

/** @returns the query with its question mark */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const at = target.indexOf('?');
  return at < 0 ? { path: target, query: '' } : { path: target.slice(0, at), query: target.slice(at) };
}

/** The segments that are taken away are written with plain slashes: it is known where they end. */
export const isWrittenPlainly = ({ unescaped }: CleanPath, { path }: Rule): boolean =>
  path === undefined || fitsNames({ path }, unescaped.slice(0, path.names.length).map(withoutParameters));

/** What follows the first segments, with a slash at its beginning; empty when nothing follows. */
export function restOf({ written, directory }: CleanPath, depth: number): string {
  const rest = written.slice(depth);
  if (rest.length > 0) return textOf(rest, directory);
  return directory ? '/' : '';
}

/** @param rest of path and query */
export const replaced = (replacement: string, rest: string): string =>
  rest.startsWith('/') ? replacement + rest : `${replacement || '/'}${rest}`;

/** The Location of a redirect. It starts with what the rule says, and no path makes another host of it. */
export function redirectLocation({ to, keepPath, depth }: Redirect, head: RequestHead, buffer: Buffer): string {
  if (!keepPath) return to;
  const target = head.rewritten ?? buffer.toString('latin1', head.targetStart, head.targetEnd);
  const { path, query } = splitTarget(target);
  const read = readPath(path.startsWith('/') ? path : '/');
  // The router has refused these already.
  if ('reason' in read) return to || '/';
  return replaced(to, restOf(read, depth) + query);
}
