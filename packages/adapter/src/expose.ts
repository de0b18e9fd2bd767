// Last stage: what is known of the target right now. A scrape asks for it; scrapes that come together, or shortly after,
// share one fetch. A target that fails has no series: yesterday's numbers are never shown as today's.

import type { Fault, MetricFamily } from '@outrigger/core';
import type { RuleReport } from './translate.ts';

export type Observation = {
  readonly time: Date;
  readonly families: readonly MetricFamily[];
  readonly reports: readonly RuleReport[];
  /** Why there are no series. */
  readonly fault?: Fault | undefined;
};

export type Exposure = { latest(): Promise<Observation> };

export type ExposureOptions = {
  readonly observe: () => Promise<Observation>;
  /** In milliseconds, from the moment the answer was there. */
  readonly maxAge: () => number;
  /** What is observed now is a trial of a target that hung in the last observation. */
  readonly trying: () => boolean;
};

export function openExposure({ observe, maxAge, trying }: ExposureOptions): Exposure {
  let last: { readonly observation: Observation; readonly at: number } | undefined;
  let running: Promise<Observation> | undefined;
  const refresh = async () => {
    try {
      const observation = await observe();
      last = { observation, at: performance.now() };
      return observation;
    } finally {
      running = undefined;
    }
  };
  return {
    async latest() {
      if (last && performance.now() - last.at < maxAge()) return last.observation;
      // One scrape finds out whether the target is back; the others need not wait for that.
      if (last && trying()) return last.observation;
      running ??= refresh();
      return running;
    },
  };
}
