// The path of a request as an application may read it: unescaped once, without dot segments and doubled slashes. Applications
// read the same path differently, and whoever knows how picks a path that the rules read as harmless. So what two readers
// would understand differently is refused, or sent on in a form that has one reading only (see router.ts).

import type { Refusal } from '../http/refusal.ts';

export type CleanPath = {
  /** What it comes down to: no dot segment, no doubled slash, nothing escaped that need not be. Clean once more it is the same. */
  readonly text: string;
  /** Its segments, escaped as far as they have to be. */
  readonly written: readonly string[];
  /** The same, unescaped; one character for each octet. */
  readonly unescaped: readonly string[];
  /** Ends in a slash. */
  readonly directory: boolean;
  /** Had dot segments. */
  readonly dots: boolean;
  /** As `unescaped`, for a reader to whom doubled slashes hold empty segments; undefined when there were none. */
  readonly doubled: readonly string[] | undefined;
};

const refusal = (detail: string): Refusal => ({ status: 400, reason: 'path', detail });

/** Why a path is refused where rules look at paths. */
export const pathRefusals = {
  depth: refusal('The path has too many segments'),
  escape: refusal('The path holds a % that two hexadecimal digits do not follow'),
  control: refusal('The path holds an escaped control character'),
  overlong: refusal('The path holds a character that is escaped in more octets than it needs'),
  hiddenDots: refusal('The path holds dot segments together with escaped slashes, backslashes or parameters'),
  twice: refusal('The path is escaped twice and holds escaped slashes, backslashes or parameters'),
  ambiguous: refusal('The path reads differently when it is unescaped in another way, and would then be kept away'),
  prefix: refusal('The beginning of the path has to be rewritten and is not written plainly'),
} as const satisfies Record<string, Refusal>;

/** The same character in more octets than UTF-8 allows, which lenient decoders take for `.` or `/`. */
const overlong = /[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xf0[\x80-\x8f][\x80-\xbf]{2}/;
const control = /[\0-\x1f\x7f]/;
const separator = /[/\\]/;

// Each way to read a path costs time for each of its segments, and nobody needs this many.
const mostSegments = 100;
const depthOf = (path: string) => path.match(/\/|%(25)*(2f|5c)/gi)?.length ?? 0;

/** @param path starts with a slash; without query, one character for each octet */
export function readPath(path: string): CleanPath | Refusal {
  if (depthOf(path) > mostSegments) return pathRefusals.depth;
  const segments = path.slice(1).split('/');
  const names = segments.map(unescaped);
  const refused = refusalOf(path, names);
  if (refused) return refused;
  const kept: number[] = [];
  for (const [index, name] of names.entries()) {
    if (name === '..') kept.pop();
    else if (name !== '' && name !== '.') kept.push(index);
  }
  const written = kept.map((index) => canonical(segments[index]!));
  const last = names.at(-1)!;
  const directory = last === '' || isDots(last);
  const empty = names.indexOf('');
  return {
    text: textOf(written, directory),
    written,
    unescaped: kept.map((index) => names[index]!),
    directory,
    dots: names.some(isDots),
    doubled: empty >= 0 && empty < names.length - 1 ? names : undefined,
  };
}

/** Segments in a row. */
export const textOf = (segments: readonly string[], directory: boolean): string =>
  segments.length === 0 ? '/' : `/${segments.join('/')}${directory ? '/' : ''}`;

const isDots = (name: string) => name === '.' || name === '..';

function refusalOf(path: string, names: readonly string[]): Refusal | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(path)) return pathRefusals.escape;
  const whole = names.join('/');
  if (control.test(whole)) return pathRefusals.control;
  if (overlong.test(whole)) return pathRefusals.overlong;
  // Is `/a%2fb/..` in `/a` or at the root? Is `/a/..;x` a name, or on the way up? That depends on who reads it, and some
  // unescape twice.
  const hidden = (name: string) =>
    unescaped(name)
      .split(separator)
      .some((part) => isDots(untilEnd(part)));
  const mixed = names.some(isDots) && names.some((name) => separator.test(unescaped(name)));
  const isHidden = names.some((name) => !isDots(name) && hidden(name));
  if (mixed || isHidden) return pathRefusals.hiddenDots;
  const twice = names.some((name) => unescaped(name) !== name);
  return twice && names.some((name) => /[/\\;]/.test(name)) ? pathRefusals.twice : undefined;
}

const octetOf = (hex: string) => String.fromCharCode(Number.parseInt(hex, 16));

/** What is no escape stays as it is. */
function unescaped(text: string): string {
  return text.includes('%') ? text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => octetOf(hex)) : text;
}

/** Nothing escaped but what would mean something else without (RFC 3986 6.2.2), and that in upper case. */
function canonical(segment: string): string {
  if (!segment.includes('%')) return segment;
  return segment.replace(/%([0-9a-fA-F]{2})/g, (whole, hex: string) => {
    const octet = octetOf(hex);
    return /[A-Za-z0-9._~-]/.test(octet) ? octet : whole.toUpperCase();
  });
}

/** `admin;jsessionid=1` is `admin`: what follows the semicolon are the parameters of the segment. */
export const withoutParameters = (name: string): string =>
  name.includes(';') ? name.slice(0, name.indexOf(';')) : name;

/** For a reader to whom a path ends there. */
const ending = /[;?#\0].*/s;
const untilEnd = (name: string) => name.replace(ending, '');

/**
 * The segments as the rules compare them: escaped slashes and backslashes separate like plain ones, and parameters are no
 * part of a segment.
 */
export const namesOf = ({ unescaped }: CleanPath): string[] =>
  unescaped
    .flatMap((name) => name.split(separator))
    .map(withoutParameters)
    .filter(Boolean);

/** As for an application that gives doubled slashes empty segments. */
export const doubledNames = (names: readonly string[]): string[] => names.map(withoutParameters);

type Names = readonly string[];

/** One step of how an application reads segments. */
type Step = (names: Names) => Names;

const splitAt =
  (by: RegExp): Step =>
  (names) =>
    names.flatMap((name) => name.split(by));
const cut: Step = (names) => names.map(withoutParameters);
const unescapeAgain: Step = (names) => names.map(unescaped);

// Which of these an application does, nobody here knows: each is tried both ways.
const steps = [unescapeAgain, cut, splitAt(/\//), cut, splitAt(/\\/), cut, upToEnd];

/**
 * How else an application may read the segments: with escaped slashes and backslashes as part of a name, parameters taken
 * away before or after, escapes undone twice, or an end of the path at `;`, `?` or `#`.
 */
export function otherNames({ unescaped }: CleanPath): Names[] {
  if (!unescaped.some((name) => /[/\\;?#%]/.test(name))) return [];
  let readings: Names[] = [unescaped];
  for (const step of steps)
    readings = readings.flatMap((names) => {
      const done = step(names);
      const same = done.length === names.length && done.every((name, index) => name === names[index]);
      return same ? [names] : [names, done];
    });
  return readings.map((names) => names.filter(Boolean));
}

function upToEnd(names: Names): Names {
  const last = names.findIndex((name) => ending.test(name));
  return last < 0 ? names : [...names.slice(0, last), untilEnd(names[last]!)];
}
