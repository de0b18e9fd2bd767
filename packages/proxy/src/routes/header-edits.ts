// What a rule changes about the header section of a message: fields that go, and lines that come.

import { kindOf, kinds } from '../http/field-kind.ts';
import { folded, token } from '../http/octets.ts';

export type WrittenEdits = {
  /** In place of whatever there is of that name. */
  readonly set?: Readonly<Record<string, string>> | undefined;
  /** Beside whatever there is of that name. */
  readonly add?: Readonly<Record<string, string>> | undefined;
  readonly remove?: readonly string[] | undefined;
};

export class HeaderEdits {
  /** Written after the fields that stay. */
  readonly lines: Buffer;
  /** Names of what goes, folded, by their length. */
  readonly #dropped: (readonly Uint8Array[] | undefined)[] = [];

  constructor({ set = {}, add = {}, remove = [] }: WrittenEdits) {
    const added = [...Object.entries(set), ...Object.entries(add)].map(
      ([name, value]) => [name, value.trim()] as const,
    );
    this.lines = Buffer.from(added.map(([name, value]) => `${name}: ${value}\r\n`).join(''), 'latin1');
    for (const name of [...Object.keys(set), ...remove])
      this.#dropped[name.length] = [...(this.#dropped[name.length] ?? []), foldedName(name)];
  }

  /**
   * Whether the field named buffer[start, end) goes. With `X-Team` goes `x_team`, too: to many an application it is the
   * same variable, so a client could say it again.
   */
  dropsName(buffer: Uint8Array, start: number, end: number): boolean {
    const names = this.#dropped[end - start];
    if (names === undefined) return false;
    for (const name of names) if (isFolded(buffer, start, name)) return true;
    return false;
  }
}

const foldedName = (name: string) => Uint8Array.from(Buffer.from(name, 'latin1'), (octet) => folded[octet]!);

function isFolded(buffer: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if (folded[buffer[start + i]!] !== name[i]) return false;
  return true;
}

const mostLines = 8192;

/** Says what is wrong with edits, and of which part of them; undefined where there are none, which costs nothing. */
export function readEdits(
  written: WrittenEdits | undefined,
  say: (message: string, ...path: (string | number)[]) => void,
): HeaderEdits | undefined {
  if (!written) return undefined;
  const { set = {}, add = {}, remove = [] } = written;
  for (const [part, fields] of Object.entries({ set, add }))
    for (const [name, value] of Object.entries(fields)) {
      const problem = nameProblem(name) ?? valueProblem(value);
      if (problem) say(problem, part, name);
    }
  for (const [index, name] of remove.entries()) {
    const problem = nameProblem(name);
    if (problem) say(problem, 'remove', index);
  }
  const edits = new HeaderEdits(written);
  if (edits.lines.length > mostLines)
    say(`its lines take ${edits.lines.length} octets, at most ${mostLines} are expected`);
  return edits.lines.length === 0 && remove.length === 0 ? undefined : edits;
}

function nameProblem(name: string): string | undefined {
  const octets = Buffer.from(name);
  if (octets.length === 0 || !octets.every((octet) => token[octet] === 1)) return 'the name of a header is expected';
  if (kindOf(octets, 0, octets.length) === kinds.other) return undefined;
  return `${name} is left to the proxy: it frames messages, belongs to the connection or says who the client is`;
}

const valueProblem = (value: string) =>
  /^[\t\x20-\x7e]*$/.test(value) ? undefined : 'visible ASCII characters on one line are expected';
