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

/**
 * What looking at one record may take. What is not looked at to its end is not shipped, so that it counts the time this
 * thread worked, and not the time a container with little CPU was made to wait.
 */
export class Budget {
  readonly #milliseconds: number;
  #spent = 0;
  #since = 0;

  /** @param milliseconds for the whole record. */
  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  /** For each step of unknown cost. Throws when there is nothing left. Most records take few steps and no look at the clock. */
  spend(): void {
    if (++this.#spent % 64 !== 0) return;
    const now = worked();
    if (this.#since === 0) this.#since = now;
    else if (now - this.#since > this.#milliseconds) throw new Error('out of time');
  }
}

/** In milliseconds. */
function worked(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
