// Parameters from the Pod's annotations, as the kubelet writes them into a downwardAPI volume and refreshes them there.

import { join } from 'node:path';
import { readText, reasonOfFile } from '../read-file.ts';
import { bootstrap, type Entry } from './names.ts';
import { nearest } from './nearest.ts';
import type { Problem } from './problem.ts';

export type Annotations = { readonly values: ReadonlyMap<string, string>; readonly problems: readonly Problem[] };

export const annotationPrefix = (role: string) => `outrigger.dev/${role}.`;

/** Never throws: what is wrong with the file comes back as problems. */
export function readAnnotations(directory: string, role: string, entries: readonly Entry[]): Annotations {
  const file = join(directory, 'annotations');
  try {
    const values = parseAnnotations(readText(file), annotationPrefix(role));
    return { values, problems: [...values.keys()].flatMap((name) => refuse(name, role, entries)) };
  } catch (error) {
    const message = reasonOfFile(error as NodeJS.ErrnoException);
    return { values: new Map(), problems: [{ parameter: '--pod-info-directory', value: file, message }] };
  }
}

/**
 * Those whose names start with the prefix, without it. Each line is a name, `=` and the value as Go quotes it.
 * Throws an Error that names the line which is none.
 */
export function parseAnnotations(text: string, prefix: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const [, name, quoted] = /^([^=]+)="((?:[^"\\]|\\.)*)"$/s.exec(line) ?? [];
    if (name === undefined) throw new Error(`line ${index + 1} is not key="value", as the kubelet writes it`);
    if (name.startsWith(prefix)) values.set(name.slice(prefix.length), unquote(quoted!, index + 1));
  }
  return values;
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

function unquote(quoted: string, line: number): string {
  return quoted.replace(/\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[0-7]{3}|.)/gs, (_, escaped: string) => {
    const simple = escapes[escaped];
    if (simple !== undefined) return simple;
    const code = /^[0-7]{3}$/.test(escaped) ? Number.parseInt(escaped, 8) : Number.parseInt(escaped.slice(1), 16);
    if (escaped.length === 1 || code > 0x10ffff)
      throw new Error(`line ${line} holds \\${escaped}, which Go does not write`);
    // Bytes beyond ASCII are written so only where they are no UTF-8.
    return (escaped.length === 3 && code > 0x7f) || (code >= 0xd800 && code < 0xe000)
      ? '\ufffd'
      : String.fromCodePoint(code);
  });
}

function refuse(name: string, role: string, entries: readonly Entry[]): Problem[] {
  const prefix = annotationPrefix(role);
  const parameter = prefix + name;
  const entry = entries.find((each) => namesOf(each).includes(`--${name}`));
  if (!entry) {
    const taken = entries.filter(({ key, parameter: { secret } }) => !secret && !bootstrap.has(key));
    const guess = nearest(
      name,
      taken.flatMap(({ flags }) => flags.map((flag) => flag.slice(2))),
    );
    return [{ parameter, message: guess ? `unknown; did you mean ${prefix}${guess}?` : 'unknown' }];
  }
  if (entry.parameter.secret)
    return [{ parameter, message: 'a secret is not taken from an annotation, which many can read' }];
  return bootstrap.has(entry.key)
    ? [{ parameter, message: `is taken from ${entry.flags[0]} or ${entry.env[0]} only` }]
    : [];
}

/** Somebody may write the secret itself and not the name of its file. */
const namesOf = ({ flags, former, parameter }: Entry) => [
  ...flags,
  ...former.flags,
  ...(parameter.secret ? [flags[0]!.replace(/-file$/, '')] : []),
];
