// Health: latches held by whoever is not ready yet, checks asked at each probe, and checks that run by themselves from
// time to time. No probe waits for anything.

import { reasonOf } from './errors.ts';
import type { Log } from './log.ts';
import { type PeriodicCheck, type Repetition, repeatCheck } from './periodic-check.ts';

/** What somebody holds until ready. */
export type Latch = {
  /** Ready, as far as this holder is concerned. */
  release(): void;
  /** Not ready (again), and why. */
  hold(reason: string): void;
};

/** The reason why it fails, or undefined. Must answer at once: it runs inside a probe. */
export type Check = () => string | undefined;

export type Periodic = Pick<Repetition, 'period' | 'timeout'> & {
  /** Of liveness instead of readiness: failing it restarts the container. */
  readonly live?: boolean;
};

export type Probe = 'livez' | 'readyz' | 'startupz';
export type Result = { readonly name: string; readonly reason?: string | undefined; readonly since: Date };

export type HealthOptions = {
  readonly log?: Pick<Log, 'warn'>;
  /** Ends the periodic checks. */
  readonly signal?: AbortSignal;
};

/** A check that takes longer holds up the probe, and whatever else this process does. */
const slowMilliseconds = 50;

/** What a slow check said is said again for so many times as long as it took: a crowd of probes does not add up. */
const rest = 10;

type Entry = {
  readonly name: string;
  /** Who knows by itself since when it is as it is. */
  readonly latch?: LatchState;
  readonly asked?: Asked;
};

/** A check is known by its answers alone. */
type Asked = { readonly check: Check; reason: string | undefined; since: Date; slow: boolean; until: number };

export class Health {
  readonly #entries: Readonly<Record<Probe, Entry[]>> = { livez: [], readyz: [], startupz: [] };
  readonly #names = new Set<string>();
  readonly #latches = new Map<string, LatchState>();
  readonly #options: HealthOptions;

  constructor(options: HealthOptions = {}) {
    this.#options = options;
  }

  /**
   * Holds /readyz until released. A latch may have several holders, each with a name of its own: it is released when all
   * of them have released it, and while it is not, the probe names those who have not.
   */
  latch(name: string, holder?: string): Latch {
    const known = holder === undefined ? undefined : this.#latches.get(name);
    const state = known ?? this.#addLatch(name, ['readyz']);
    return state.holder(holder, 'not yet');
  }

  /** Holds /startupz and /readyz until start has ended. */
  startup(): Latch {
    return this.#addLatch('start', ['startupz', 'readyz']).holder(undefined, 'still starting');
  }

  /** A condition of readiness; with `live`, of liveness instead: failing it restarts the container. */
  check(name: string, check: Check, { live = false } = {}): void {
    const asked = { check, reason: undefined, since: new Date(), slow: false, until: 0 };
    this.#add({ name, asked }, [live ? 'livez' : 'readyz']);
  }

  /** The same, run in the background: probes answer with what the last run found. Runs never overlap. */
  periodic(name: string, { period, timeout, live = false }: Periodic, check: PeriodicCheck): void {
    const latch = this.#addLatch(name, [live ? 'livez' : 'readyz']);
    // Liveness is given credit until the first run has ended: a container is not restarted for what nobody has looked at.
    const held = latch.holder(undefined, live ? undefined : 'not checked yet');
    const { signal } = this.#options;
    void repeatCheck(check, { period, timeout, signal }, (reason) => {
      if (reason === undefined) held.release();
      else held.hold(reason);
    });
  }

  #addLatch(name: string, probes: readonly Probe[]): LatchState {
    const latch = new LatchState();
    this.#add({ name, latch }, probes);
    this.#latches.set(name, latch);
    return latch;
  }

  #add(entry: Entry, probes: readonly Probe[]): void {
    if (this.#names.has(entry.name)) throw new Error(`Two health checks are named "${entry.name}"`);
    this.#names.add(entry.name);
    for (const probe of probes) this.#entries[probe].push(entry);
  }

  /** Every check of a probe, in the order of declaration. */
  results(probe: Probe): Result[] {
    return this.#entries[probe].map((entry) => {
      const reason = this.#ask(entry);
      return { name: entry.name, reason, since: entry.latch?.since ?? entry.asked!.since };
    });
  }

  /** Whether all of them pass; makes nothing, since this is what is asked all the time. */
  passes(probe: Probe): boolean {
    for (const entry of this.#entries[probe]) if (this.#ask(entry) !== undefined) return false;
    return true;
  }

  #ask({ name, latch, asked }: Entry): string | undefined {
    if (latch) return latch.reason;
    const begun = performance.now();
    if (begun < asked!.until) return asked!.reason;
    const reason = answerOf(asked!.check);
    const took = performance.now() - begun;
    if (took > slowMilliseconds) this.#sayOnce(name, asked!, took);
    if ((reason === undefined) !== (asked!.reason === undefined)) asked!.since = new Date();
    asked!.reason = reason;
    return reason;
  }

  #sayOnce(name: string, asked: Asked, milliseconds: number): void {
    asked.until = performance.now() + milliseconds * rest;
    if (asked.slow) return;
    asked.slow = true;
    const said = { name, milliseconds: Math.round(milliseconds) };
    this.#options.log?.warn('A health check holds up the probes; make it a periodic one', said);
  }
}

function answerOf(check: Check): string | undefined {
  try {
    return check();
  } catch (error) {
    return `the check itself failed: ${reasonOf(error)}`;
  }
}

type Holding = { reason: string | undefined; since: Date };

/** Who holds it, and since when. */
class LatchState {
  readonly #holders = new Map<string | undefined, Holding>();
  #held = 0;
  #released = new Date();

  holder(name: string | undefined, reason: string | undefined): Latch {
    if (this.#holders.has(name)) throw new Error(`Two holders of one latch are named "${name}"`);
    const holding: Holding = { reason, since: new Date() };
    this.#holders.set(name, holding);
    if (reason !== undefined) this.#held++;
    const become = (next: string | undefined) => {
      if ((next === undefined) !== (holding.reason === undefined)) {
        holding.since = new Date();
        this.#held += next === undefined ? -1 : 1;
      }
      holding.reason = next;
      if (this.#held === 0) this.#released = holding.since;
    };
    return { release: () => become(undefined), hold: become };
  }

  get reason(): string | undefined {
    if (this.#held === 0) return undefined;
    const held = [...this.#holders].filter(([, { reason }]) => reason !== undefined);
    const [[name, { reason }]] = held as [[string | undefined, Holding]];
    if (name === undefined && held.length === 1) return reason;
    return `held by ${held.map(([name, { reason, since }]) => `${name ?? 'itself'} (${reason} since ${since.toISOString()})`).join(', ')}`;
  }

  /** When the longest of those who hold it began to, or the last of all released it. */
  get since(): Date {
    let first: Date | undefined;
    for (const { reason, since } of this.#holders.values())
      if (reason !== undefined && (first === undefined || since < first)) first = since;
    return first ?? this.#released;
  }
}
