// The connections to every application that rules name, beside the one of --upstream.

import { endpointOf } from './endpoint.ts';
import { H2cPool } from './http2/upstream.ts';
import { Pool, type PoolOptions } from './pool.ts';
import type { Rule } from './routes/rule.ts';

export type PoolsOptions = Pick<PoolOptions, 'idleTimeout' | 'roomy' | 'tally' | 'log'> & { readonly upstream: URL };

export class Pools implements Disposable {
  /** Of --upstream. */
  readonly main: Pool;
  readonly #options: PoolsOptions;
  readonly #others = new Map<string, Pool>();

  constructor(options: PoolsOptions) {
    this.#options = options;
    this.main = this.#make(options.upstream);
  }

  #make(upstream: URL): Pool {
    const { idleTimeout, roomy, tally, log } = this.#options;
    const options = { ...endpointOf(upstream), idleTimeout, roomy, tally, log };
    return options.protocol === 'h2c' ? new H2cPool(options) : new Pool(options);
  }

  of({ upstream }: Pick<Rule, 'upstream'>): Pool {
    if (upstream === undefined) return this.main;
    let pool = this.#others.get(upstream);
    if (!pool) {
      pool = this.#make(new URL(upstream));
      this.#others.set(upstream, pool);
    }
    return pool;
  }

  get all(): readonly Pool[] {
    return [this.main, ...this.#others.values()];
  }

  get counts(): { readonly active: number; readonly idle: number } {
    const sum = { active: 0, idle: 0 };
    for (const { counts } of this.all) {
      sum.active += counts.active;
      sum.idle += counts.idle;
    }
    return sum;
  }

  /** Forgets those that no rule names any more; what is in use goes on. */
  keep(upstreams: readonly string[]): void {
    for (const [upstream, pool] of this.#others)
      if (!upstreams.includes(upstream)) {
        this.#others.delete(upstream);
        pool.retire();
      }
  }

  /** Closes what has been idle for too long. Returns whether anything is left. */
  sweep(now: number): boolean {
    let left = this.main.sweep(now);
    for (const pool of this.#others.values()) left = pool.sweep(now) || left;
    return left;
  }

  [Symbol.dispose](): void {
    for (const pool of this.all) pool[Symbol.dispose]();
  }
}
