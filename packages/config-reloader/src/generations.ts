// What the application was told: one generation per content seen, the newest last.

import type { Fault } from '@outrigger/core';
import type { Change } from '@outrigger/core/watch';
import type { Own } from './context.ts';

export type Delivery = { attempts: number; delivered: Date | undefined; error: Fault | undefined };

export type Generation = {
  readonly number: number;
  readonly hash: string;
  readonly seen: Date;
  /** performance.now() at the first sign of the change. */
  readonly since: number;
  /** Found at the start and not notified: the application reads it by itself. */
  readonly baseline: boolean;
  /** By notifier. */
  readonly deliveries: Map<string, Delivery>;
  /** When the first notifier delivered it. */
  notified: Date | undefined;
  /** When the last notifier had delivered it. */
  confirmed: Date | undefined;
};

export type GenerationState = 'baseline' | 'pending' | 'confirmed' | 'superseded';

const kept = 50;

export class Generations {
  readonly #context: Pick<Own, 'events' | 'log' | 'parameters'>;
  #next = 1;
  readonly #list: Generation[] = [];

  constructor(context: Pick<Own, 'events' | 'log' | 'parameters'>) {
    this.#context = context;
  }

  get newest(): Generation | undefined {
    return this.#list.at(-1);
  }

  /** A return to an earlier content is a new generation: the application may run either. */
  add({ hash, since, found }: Change): Generation {
    const { events, log, parameters } = this.#context;
    const number = this.#next++;
    const generation: Generation = {
      number,
      hash,
      seen: new Date(),
      since,
      baseline: found && !parameters.notifyAtStart,
      deliveries: new Map(),
      notified: undefined,
      confirmed: undefined,
    };
    this.#list.push(generation);
    if (this.#list.length > kept) this.#list.shift();
    log.info(found ? 'Configuration found' : 'Configuration changed', { generation: number, hash });
    events.publish('changed', { generation: number, hash, found });
    return generation;
  }

  /** The newest first. */
  list(): Generation[] {
    return this.#list.toReversed();
  }

  stateOf(generation: Generation): GenerationState {
    if (generation.confirmed) return 'confirmed';
    if (generation.baseline) return 'baseline';
    return generation === this.newest ? 'pending' : 'superseded';
  }
}
