// Tells the application of each generation, through every notifier that was chosen.

import { type Attempt, Courier } from '@outrigger/core';
import type { Own } from './context.ts';
import { errors } from './errors.ts';
import type { Generation } from './generations.ts';

/** An attempt of a notifier, by name. */
export type Told = Attempt<Generation> & { readonly name: string; readonly target: string };

/** Returns what takes a generation; each notifier goes on until it delivered the newest one. */
export function openNotify(
  told: (told: Told) => void,
  { log, metrics, parameters, stack }: Own,
): (generation: Generation) => void {
  const couriers = parameters.notify.map(({ name, member, parameters: own }) => {
    const notifier = member.open(own, { log });
    const { target } = notifier;
    const courier = new Courier<Generation>({
      target,
      deliver: ({ number, hash }, signal) => notifier.notify({ generation: number, hash }, signal),
      timeout: () => parameters.notifyTimeout,
      ended: (attempt) => told({ ...attempt, name, target }),
    });
    const stop = async () => {
      await courier[Symbol.asyncDispose]();
      if (courier.pending) log.warn(errors.RELOAD_UNDELIVERED({ target, generation: courier.pending.number }));
    };
    stack.defer(stop, { name: `notifier ${name}` });
    return { name, courier };
  });
  return (generation) => {
    metrics.unconfirmed.set(1);
    for (const { name } of couriers)
      generation.deliveries.set(name, { attempts: 0, delivered: undefined, error: undefined });
    for (const { courier } of couriers) courier.bring(generation);
  };
}
