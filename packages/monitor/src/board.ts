// The board of sidecars: what each last answered, and the news when one changes.

import type { Context } from '@outrigger/core';
import type { Answer } from './ask.ts';
import { judge, type SidecarHealth, trouble, unheard } from './judge.ts';
import type { metrics } from './metrics.ts';
import type { parameters } from './parameters.ts';
import { recordHealth } from './record.ts';

type News = Pick<Context<typeof parameters, typeof metrics>, 'events' | 'leaving' | 'log' | 'metrics'>;

export class Board {
  readonly #news: News;
  readonly #sidecars = new Map<string, SidecarHealth>();

  constructor(sidecars: Readonly<Record<string, URL>>, news: News) {
    this.#news = news;
    for (const [name, url] of Object.entries(sidecars)) {
      this.#sidecars.set(name, unheard(name, url, new Date()));
      news.metrics.sidecarStateChanges.inc({ sidecar: name }, 0);
      recordHealth(news.metrics, this.#sidecars.get(name)!);
    }
  }

  /** In the order they were named. */
  get all(): readonly SidecarHealth[] {
    return [...this.#sidecars.values()];
  }

  put(name: string, answer: Answer): void {
    const before = this.#sidecars.get(name)!;
    const now = judge(before, answer, new Date());
    this.#sidecars.set(name, now);
    recordHealth(this.#news.metrics, now);
    if (now.state !== before.state) this.#announce(before, now);
  }

  /** Once for each change, however often it is asked: an absent sidecar is not a storm of errors. */
  #announce(before: SidecarHealth, now: SidecarHealth): void {
    const { events, leaving, log, metrics } = this.#news;
    // Finding out how it stands at the start is no change.
    if (before.state !== 'unknown') metrics.sidecarStateChanges.inc({ sidecar: now.name });
    events.publish('sidecar', { name: now.name, from: before.state, to: now.state, reason: now.reason });
    // When the Pod goes, the sidecars go one after another as they should.
    const fault = leaving.aborted ? undefined : trouble(before, now);
    if (fault) log.warn(fault);
    else log.info(`Sidecar ${now.name} is ${now.state}`, { sidecar: now.name, reason: now.reason ?? undefined });
  }
}
