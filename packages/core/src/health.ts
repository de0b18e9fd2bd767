// Health: latches held by whoever is not ready yet, and checks asked at each probe. No probe waits for anything.

export type Latch = {
  /** Ready, as far as this holder is concerned. */
  release(): void;
  /** Not ready (again), and why. */
  hold(reason: string): void;
};

/** The reason why it fails, or undefined. Must answer at once: it runs inside a probe. */
export type Check = () => string | undefined;

export type Probe = 'livez' | 'readyz' | 'startupz';
export type Result = { readonly name: string; readonly reason?: string | undefined; readonly since: Date };

type Entry = { readonly check: Check; readonly probes: readonly Probe[]; since: Date; failing: boolean };

export class Health {
  readonly #entries = new Map<string, Entry>();

  /** Holds /readyz until released. */
  latch(name: string): Latch {
    let reason: string | undefined = 'not yet';
    this.#add(name, ['readyz'], () => reason);
    return {
      release: () => {
        reason = undefined;
      },
      hold: (why) => {
        reason = why;
      },
    };
  }

  /** A condition of readiness; with `live`, of liveness instead: failing it restarts the container. */
  check(name: string, check: Check, { live = false } = {}): void {
    this.#add(name, [live ? 'livez' : 'readyz'], check);
  }

  /** Holds /startupz and /readyz until start has ended. */
  startup(): Latch {
    let reason: string | undefined = 'still starting';
    this.#add('start', ['startupz', 'readyz'], () => reason);
    return {
      release: () => {
        reason = undefined;
      },
      hold: (why) => {
        reason = why;
      },
    };
  }

  #add(name: string, probes: readonly Probe[], check: Check): void {
    if (this.#entries.has(name)) throw new Error(`Two health checks are named "${name}"`);
    this.#entries.set(name, { check, probes, since: new Date(), failing: true });
  }

  /** Every check of a probe, in the order of declaration. */
  results(probe: Probe): Result[] {
    return [...this.#entries]
      .filter(([, { probes }]) => probes.includes(probe))
      .map(([name, entry]) => {
        const reason = ask(entry.check);
        if ((reason !== undefined) !== entry.failing) {
          entry.failing = reason !== undefined;
          entry.since = new Date();
        }
        return { name, reason, since: entry.since };
      });
  }
}

function ask(check: Check): string | undefined {
  try {
    return check();
  } catch (error) {
    return `the check itself failed: ${(error as Error).message}`;
  }
}
