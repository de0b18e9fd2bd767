// Strict-Transport-Security (RFC 6797) on responses over https, in place of what the application says of it.

import type { Answer } from './answer.ts';
import type { Edits } from './relay.ts';
import { HeaderEdits } from './routes/header-edits.ts';

export class TransportSecurity {
  /** Milliseconds, asked for each response; undefined for none. */
  readonly #maximumAge: () => number | undefined;
  #made = new WeakMap<Edits, Edits>();
  #alone: HeaderEdits | undefined;
  #age: number | undefined;

  constructor(maximumAge: () => number | undefined) {
    this.#maximumAge = maximumAge;
  }

  /** The edits of a rule, and the field that is ours. */
  with(edits: Edits | undefined): Edits | undefined {
    const age = this.#maximumAge();
    if (age === undefined) return edits;
    if (age !== this.#age) this.#renew(age);
    if (!edits) return this.#alone;
    const made = this.#made.get(edits) ?? join(this.#alone!, edits);
    this.#made.set(edits, made);
    return made;
  }

  /** An answer of the proxy's own, and the field. */
  on(answer: Answer): Answer {
    const age = this.#maximumAge();
    if (age === undefined) return answer;
    return { ...answer, fields: [...answer.fields, 'strict-transport-security', directives(age)] };
  }

  #renew(age: number): void {
    this.#age = age;
    this.#alone = new HeaderEdits({ set: { 'Strict-Transport-Security': directives(age) } });
    this.#made = new WeakMap();
  }
}

const directives = (milliseconds: number) => `max-age=${Math.round(milliseconds / 1000)}`;

function join(own: Edits, edits: Edits): Edits {
  // A rule that says it itself knows better; there may be one such field alone: RFC 6797 7.1.
  if (/^strict-transport-security:/im.test(edits.lines.toString('latin1'))) return edits;
  return {
    lines: Buffer.concat([edits.lines, own.lines]),
    dropsName: (buffer, start, end) => own.dropsName(buffer, start, end) || edits.dropsName(buffer, start, end),
  };
}
