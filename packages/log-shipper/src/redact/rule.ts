// What a rule of redaction is: it finds the places of one kind of secret in a text.

import type { Looks } from './prefilter.ts';

/** From where to where. */
export type Report = (start: number, end: number) => void;

export type Rule = {
  /** Stands in the replacement and labels the count. */
  readonly name: string;
  /** How the prefilter notices a line that this rule must look at; `always` when it cannot. */
  readonly looks: Partial<Looks> | 'always';
  find(text: string, report: Report, budget: Budget): void;
};

/** What looking at one record may take. What is not looked at to its end is not shipped. */
export class Budget {
  readonly #deadline: number;
  #spent = 0;

  /** @param milliseconds for the whole record. */
  constructor(milliseconds: number) {
    this.#deadline = performance.now() + milliseconds;
  }

  /** For each step of unknown cost. Throws when there is nothing left; a look at the clock is 40 ns. */
  spend(): void {
    if (++this.#spent % 64 === 0 && performance.now() > this.#deadline) throw new Error('out of time');
  }
}
