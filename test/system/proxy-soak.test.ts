// Everything goes wrong at once and for long: an application that flaps and breaks off in each state, clients that are slow,
// silent or gone. SOAK_MINUTES says for how long; a minute is for CI. Afterwards nothing is left of it.

import { setTimeout as wait } from 'node:timers/promises';
import { below, type Random, seeded, until } from '@outrigger/core/testing';
import { expect, test, vi } from 'vitest';
import { FlappingApplication } from './proxy/flapping.ts';
import { startProxyProcess } from './proxy/program.ts';
import { leaveEarly, type Visitor, visit, visits } from './proxy/visitors.ts';

const minutes = Number(process.env.SOAK_MINUTES ?? 1);

vi.setConfig({ testTimeout: minutes * 60_000 + 240_000 });

const mebibyte = 1024 ** 2;
const visitors = 60;
// More functions that were compiled than at the start. Measured: no more than at the start, which has not given
// anything back yet. It must not depend on how long the soak takes.
const kept = 4 * mebibyte;

// Short, so that each of them is met again and again.
const flags = Object.entries({
  'handshake-timeout': '2s',
  'head-timeout': '2s',
  'idle-timeout': '2s',
  'client-timeout': '2s',
  'tunnel-timeout': '2s',
  'upstream-timeout': '2s',
  'upstream-connect-timeout': '1s',
}).flatMap(([name, value]) => [`--${name}`, value]);

test(`${minutes} minutes of everything going wrong leave no socket, no file and no memory behind`, async () => {
  const seed = Number(process.env.SOAK_SEED ?? Date.now() % 2 ** 31);
  process.stdout.write(`SOAK_SEED=${seed}\n`);
  const random = seeded(seed);
  await using application = new FlappingApplication(random);
  await application.listen();
  await using proxy = await startProxyProcess({ upstream: application.url, flags });
  const before = { memory: proxy.memory(), files: proxy.files() };
  const outcomes = new Map<string, number>();
  const wrong: string[] = [];
  const crowd = new Crowd({ random, outcomes, wrong, to: proxy });
  let peak = 0;
  const end = performance.now() + minutes * 60_000;
  while (performance.now() < end) {
    await wait(5_000);
    peak = Math.max(peak, proxy.memory());
    await application.die();
    await wait(500);
    await application.listen();
  }
  await crowd.leave();
  await application.die();
  const counts = { ...Object.fromEntries(outcomes), ...Object.fromEntries(application.done) };
  expect(proxy.sidecar.process.exitCode).toBe(null);
  await proxy.idle(15_000);
  expect(proxy.files()).toBe(before.files);
  let after = 0;
  // The sidecar gives memory back when it has been quiet for one of its periods of 30 s.
  await until(
    () => {
      after = proxy.memory();
      return after < before.memory + kept;
    },
    { deadline: 90_000, what: () => `memory to be given back: ${after} bytes after ${before.memory}` },
  );
  const megabytes = [before.memory, peak, after].map((bytes) => (bytes / mebibyte).toFixed(1));
  process.stdout.write(`Private MiB before, at most, after: ${megabytes.join(', ')}\n${JSON.stringify(counts)}\n`);
  expect(wrong).toEqual([]);
  // Nothing was left out, or there would be nothing to leave behind.
  for (const what of [...Object.keys(visits), ...application.kinds, 'whole', 'refused', 'broken', 'tunnel'])
    expect({ what, count: counts[what] ?? 0 }).not.toEqual({ what, count: 0 });
});

type CrowdOptions = {
  readonly random: Random;
  readonly to: Visitor['to'];
  readonly outcomes: Map<string, number>;
  readonly wrong: string[];
};

/** So many visitors at any time, each coming again as another kind. */
class Crowd {
  readonly #options: CrowdOptions;
  readonly #busy: string[] = [];
  readonly #all: Promise<void>[];
  #over = false;
  #named = 0;

  constructor(options: CrowdOptions) {
    this.#options = options;
    this.#all = Array.from({ length: visitors }, (_, index) => this.#come(index));
  }

  async #come(index: number): Promise<void> {
    const { random, to, wrong } = this.#options;
    const visitor: Visitor = {
      to,
      random,
      name: () => `n${this.#named++}`,
      count: (outcome) => this.#count(outcome),
      wrong: (what) => wrong.push(what),
    };
    const kinds = Object.keys(visits);
    while (!this.#over) {
      // Every third does nothing but work: a leak of so much for each request shows only after many.
      const kind = index % 3 === 0 ? 'asks again and again' : kinds[below(random, kinds.length)]!;
      this.#busy[index] = kind;
      this.#count(kind);
      await visit(kind, visitor);
      await leaveEarly(visitor);
    }
    this.#busy[index] = '';
  }

  #count(what: string): void {
    const { outcomes } = this.#options;
    outcomes.set(what, (outcomes.get(what) ?? 0) + 1);
  }

  /** Rejects, with who it is, when one of them never gets away. */
  async leave(): Promise<void> {
    this.#over = true;
    await until(() => this.#busy.every((kind) => kind === ''), {
      deadline: 20_000,
      what: () => `those who ${this.#busy.filter(Boolean).join(', ')}`,
    });
    await Promise.all(this.#all);
  }
}
