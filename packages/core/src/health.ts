// Health: latches held by whoever is not ready yet, checks asked at each probe, and checks that run by themselves from
// time to time. No probe waits for anything.

import { reasonOf } from './errors.ts';
import type { Log } from './log.ts';

/** What somebody holds until ready. */
export type Latch = {
  /** Ready, as far as this holder is concerned. */
  release(): void;
  /** Not ready (again), and why. */
  hold(reason: string): void;
};

/** The reason why it fails, or undefined. Must answer at once: it runs inside a probe. */
export type Check = () => string | undefined;

/** The same for what takes time: a file on a network, a peer. The signal aborts when its time is over. */
export type PeriodicCheck = (signal: AbortSignal) => Promise<string | undefined>;

export type Periodic = {
  /** Milliseconds from the end of one run to the beginning of the next. */
  readonly period: number;
  /** Milliseconds that a run may take; a longer one is a failure. */
  readonly timeout: number;
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

type Entry = {
  readonly check: Check;
  readonly probes: readonly Probe[];
  /** A latch knows by itself when it changed; a check is known by its answers. */
  readonly latch?: LatchState;
  since: Date;
  failing: boolean;
  slow: boolean;
};

export class Health {
  readonly #entries = new Map<string, Entry>();
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
    this.#add(name, { check, probes: [live ? 'livez' : 'readyz'] });
  }

  /** The same, run in the background: probes answer with what the last run found. Runs never overlap. */
  periodic(name: string, { period, timeout, live = false }: Periodic, check: PeriodicCheck): void {
    const latch = this.#addLatch(name, [live ? 'livez' : 'readyz']);
    // Liveness is given credit until the first run has ended: a container is not restarted for what nobody has looked at.
    const held = latch.holder(undefined, live ? undefined : 'not checked yet');
    const { signal } = this.#options;
    const run = async (): Promise<void> => {
      const reason = await within(timeout, check);
      if (signal?.aborted) return;
      if (reason === undefined) held.release();
      else held.hold(reason);
      // Jittered, so that the checks of many sidecars on a node do not run in step.
      const timer = setTimeout(run, period * (0.9 + Math.random() / 5)).unref();
      signal?.addEventListener('abort', () => clearTimeout(timer), { once: true });
    };
    void run();
  }

  #addLatch(name: string, probes: readonly Probe[]): LatchState {
    const state = new LatchState();
    this.#latches.set(name, state);
    this.#add(name, { check: () => state.reason, probes, latch: state });
    return state;
  }

  #add(name: string, entry: Pick<Entry, 'check' | 'probes' | 'latch'>): void {
    if (this.#entries.has(name)) throw new Error(`Two health checks are named "${name}"`);
    this.#entries.set(name, { ...entry, since: new Date(), failing: false, slow: false });
  }

  /** Every check of a probe, in the order of declaration. */
  results(probe: Probe): Result[] {
    const results: Result[] = [];
    for (const [name, entry] of this.#entries) {
      if (!entry.probes.includes(probe)) continue;
      const reason = this.#ask(name, entry);
      results.push({ name, reason, since: entry.latch?.since ?? entry.since });
    }
    return results;
  }

  /** Whether all of them pass; makes nothing, since this is what is asked all the time. */
  passes(probe: Probe): boolean {
    for (const [name, entry] of this.#entries)
      if (entry.probes.includes(probe) && this.#ask(name, entry) !== undefined) return false;
    return true;
  }

  #ask(name: string, entry: Entry): string | undefined {
    const begun = performance.now();
    const reason = answerOf(entry.check);
    if (performance.now() - begun > slowMilliseconds && !entry.slow) {
      entry.slow = true;
      const milliseconds = Math.round(performance.now() - begun);
      this.#options.log?.warn('A health check holds up the probes; make it a periodic one', { name, milliseconds });
    }
    if ((reason !== undefined) !== entry.failing) {
      entry.failing = reason !== undefined;
      entry.since = new Date();
    }
    return reason;
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
  #released = new Date();

  holder(name: string | undefined, reason: string | undefined): Latch {
    if (this.#holders.has(name)) throw new Error(`Two holders of one latch are named "${name}"`);
    const holding: Holding = { reason, since: new Date() };
    this.#holders.set(name, holding);
    const become = (next: string | undefined) => {
      if ((next === undefined) !== (holding.reason === undefined)) holding.since = new Date();
      holding.reason = next;
      if (this.reason === undefined) this.#released = holding.since;
    };
    return { release: () => become(undefined), hold: become };
  }

  get reason(): string | undefined {
    const held = [...this.#holders].filter(([, { reason }]) => reason !== undefined);
    if (held.length === 0) return undefined;
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

/** What the check says, unless it fails or takes too long; one that does not heed the signal is left behind. */
async function within(timeout: number, check: PeriodicCheck): Promise<string | undefined> {
  const over = new AbortController();
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(() => {
    late.resolve(`no answer within ${timeout} ms`);
    over.abort(new Error('the time for this check is over'));
  }, timeout);
  try {
    return await Promise.race([check(over.signal), late.promise]);
  } catch (error) {
    return `the check itself failed: ${reasonOf(error)}`;
  } finally {
    clearTimeout(timer);
  }
}
