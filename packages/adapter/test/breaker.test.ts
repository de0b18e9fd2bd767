import { until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { Breaker } from '../src/breaker.ts';

const openBreaker = (failures: number, openTime: number) =>
  new Breaker({ failures: () => failures, openTime: () => openTime });

const hour = 3_600_000;
const steps = ['admit', 'succeeded', 'failed'] as const;
type Step = (typeof steps)[number];

/** What it has to do, said in another way: by how many failures there were since the last success. */
class Model {
  #failures = 0;
  #trial = false;
  readonly #enough: number;
  readonly #timeIsOver: boolean;

  constructor(enough: number, timeIsOver: boolean) {
    this.#enough = enough;
    this.#timeIsOver = timeIsOver;
  }

  get state(): string {
    if (this.#trial) return 'half-open';
    return this.#enough > 0 && this.#failures >= this.#enough ? 'open' : 'closed';
  }

  admit(): boolean {
    if (this.state === 'closed') return true;
    if (this.#trial || !this.#timeIsOver) return false;
    this.#trial = true;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#trial = false;
  }

  failed(): void {
    this.#failures++;
    this.#trial = false;
  }
}

/** All sequences of so many steps: few enough to leave nothing to chance. */
function* sequences(length: number): Generator<readonly Step[]> {
  if (length === 0) return yield [];
  for (const before of sequences(length - 1)) for (const step of steps) yield [...before, step];
}

test.for([
  ['lasts', false, hour],
  ['is over at once', true, 0],
] as const)('when the open time %s it goes through the states of the model', ([, timeIsOver, openTime]) => {
  for (let enough = 0; enough <= 3; enough++)
    for (const sequence of sequences(8)) {
      const breaker = openBreaker(enough, openTime);
      const model = new Model(enough, timeIsOver);
      for (const [at, step] of sequence.entries()) {
        const found = [breaker[step](), breaker.state];
        const expected = [model[step](), model.state];
        if (`${found}` !== `${expected}`) expect([sequence.slice(0, at + 1), found]).toEqual(expected);
      }
    }
});

test('however often it is asked while a trial is under way, there is one', () => {
  const breaker = openBreaker(3, 0);
  for (let at = 0; at < 3; at++) breaker.failed();
  const admitted = Array.from({ length: 50 }, () => breaker.admit());
  expect(admitted.filter((each) => each).length).toBe(1);
});

test('the time it stays open grows with each trial in vain, up to six times, and starts anew after a success', async () => {
  const breaker = openBreaker(1, 20);
  for (const most of [2, 4, 6, 6, 2]) {
    if (most === 2) breaker.succeeded();
    breaker.failed();
    expect(breaker.left).toBeGreaterThan(15);
    expect(breaker.left).toBeLessThanOrEqual(most * 20);
    expect(breaker.admit()).toBe(false);
    await until(() => breaker.admit());
  }
});

test('since says when it left the usual state, however many trials were in vain', async () => {
  const breaker = openBreaker(2, 0);
  breaker.failed();
  const closed = breaker.since;
  await until(() => Date.now() > closed.getTime());
  breaker.failed();
  const opened = breaker.since;
  expect(opened.getTime()).toBeGreaterThan(closed.getTime());
  await until(() => Date.now() > opened.getTime());
  expect(breaker.admit()).toBe(true);
  breaker.failed();
  expect(breaker.since).toBe(opened);
  breaker.succeeded();
  expect(breaker.since.getTime()).toBeGreaterThan(opened.getTime());
});
