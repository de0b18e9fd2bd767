// What is told of each document: metrics every time, log lines only when something changes. A page with one wrong value
// must not fill the disk with a line per scrape.

import type { Fault, Instruments, Log } from '@outrigger/core';
import type { Repair } from './encoding.ts';
import { errors } from './errors.ts';
import type { Observation } from './expose.ts';
import type { metrics as declared } from './metrics.ts';
import type { RuleReport } from './translate.ts';

export type Seen = { readonly observation: Observation; readonly repairs: readonly Repair[] };

export type Report = { document(seen: Seen): void };

type Metrics = Instruments<typeof declared>;

export function openReport({ metrics, log }: { metrics: Metrics; log: Log }, target: string): Report {
  let state: string | undefined;
  let failing = new Set<string>();

  const sayState = (fault: Fault | undefined) => {
    const now = fault?.code ?? 'up';
    if (now === state) return;
    state = now;
    if (fault) log.warn(fault);
    else log.info('The target is up', { target });
  };

  const sayDrops = (reports: readonly RuleReport[]) => {
    const dropping = reports.flatMap(dropsOf);
    for (const { key, fault } of dropping) if (!failing.has(key)) log.warn(fault);
    failing = new Set(dropping.map(({ key }) => key));
  };

  return {
    document({ observation, repairs }) {
      count(metrics, observation, repairs);
      sayState(observation.fault);
      if (!observation.fault) sayDrops(observation.reports);
    },
  };
}

function count(metrics: Metrics, { families, reports, fault, time }: Observation, repairs: readonly Repair[]): void {
  metrics.targetUp.set(fault ? 0 : 1);
  metrics.series.set(families.reduce((sum, { samples }) => sum + samples.length, 0));
  if (fault) metrics.targetErrors.inc({ code: fault.code });
  else metrics.targetLastSuccess.set(time.getTime() / 1000);
  for (const reason of repairs) metrics.documentRepairs.inc({ reason });
  for (const { metric, drops } of reports)
    for (const [reason, times] of Object.entries(drops)) metrics.ruleErrors.inc({ rule: metric, reason }, times);
}

const dropsOf = ({ metric, place, drops, examples }: RuleReport) =>
  Object.entries(drops).map(([reason, times]) => ({
    key: `${place} ${reason}`,
    fault: errors.ADAPTER_RULE_FAILED({
      rule: metric,
      place,
      count: times,
      reason,
      example: examples[reason as keyof typeof examples],
    }),
  }));
