// Keeps the book on generations: who was notified of which, and which of them every notifier has delivered.

import type { Own } from './context.ts';
import type { Generation, Generations } from './generations.ts';
import type { Told } from './notify.ts';

/** Returns what is told of each attempt. */
export function openConfirm(
  generations: Generations,
  { events, log, metrics }: Pick<Own, 'events' | 'log' | 'metrics'>,
): (told: Told) => void {
  const confirm = (generation: Generation) => {
    generation.confirmed = new Date();
    const { number, hash, since } = generation;
    metrics.lastSuccessTimestamp.set(generation.confirmed.getTime() / 1000);
    metrics.confirmedInfo.reset();
    metrics.confirmedInfo.set({ hash }, 1);
    metrics.confirmation.observe((performance.now() - since) / 1000);
    if (generation === generations.newest) metrics.unconfirmed.set(0);
    log.info('Generation confirmed', { generation: number, hash });
    events.publish('confirmed', { generation: number, hash });
  };

  return ({ value: generation, name, target, seconds, details, fault }) => {
    const { number, hash, deliveries } = generation;
    const delivery = deliveries.get(name)!;
    delivery.attempts++;
    delivery.error = fault;
    metrics.notifications.inc({ notifier: name, result: fault ? 'failure' : 'success' });
    metrics.notification.observe({ notifier: name }, seconds);
    const about = { generation: number, notifier: name, attempt: delivery.attempts };
    if (fault) {
      log.warn(fault, about);
      events.publish('notify-failed', { ...about, code: fault.code, message: fault.message });
      return;
    }
    delivery.delivered = new Date();
    generation.notified ??= delivery.delivered;
    log.info('Application notified', { ...about, target, ...details });
    events.publish('notified', { ...about, hash });
    if ([...deliveries.values()].every(({ delivered }) => delivered)) confirm(generation);
  };
}
