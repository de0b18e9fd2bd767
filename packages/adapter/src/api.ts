import { route } from '@outrigger/core';
import * as z from '@outrigger/core/schema';
import type { Breaker } from './breaker.ts';
import type { Exposure } from './expose.ts';

/** What routes see. */
export type State = {
  readonly target: string;
  /** The file that the rules in force stand in. */
  readonly rulesFile: () => string;
  /** Why the parameters as they are now, rules among them, are not in force. */
  readonly problems: () => readonly string[];
  readonly breaker: Breaker;
  /** Sets the breaker's gauges to what it is now. */
  readonly measure: () => void;
  readonly exposure: Exposure;
};

const fault = z.object({ code: z.string(), message: z.string(), hint: z.string() });

const family = z.object({
  name: z.string(),
  type: z.enum(['counter', 'gauge', 'untyped']),
  help: z.string(),
  // JSON has no infinity.
  samples: z.array(
    z.object({ labels: z.record(z.string(), z.string()), value: z.union([z.number(), z.enum(['+Inf', '-Inf'])]) }),
  ),
});

const rule = z.object({
  metric: z.string(),
  place: z.string(),
  path: z.string(),
  matched: z.number(),
  samples: z.number(),
  drops: z.record(z.string(), z.number()),
  examples: z.record(z.string(), z.string()),
});

export const routes = {
  'GET /v1/metrics': route({
    summary: "The target's metrics now, as JSON",
    response: z.object({
      target: z.string(),
      up: z.boolean(),
      time: z.string(),
      fault: z.optional(fault),
      families: z.array(family),
    }),
    async handle({ exposure, target }: State) {
      const observation = await exposure.latest();
      const families = observation.families.map(({ samples, ...each }) => ({
        ...each,
        samples: samples.map(({ labels, value }) => ({ labels, value: writable(value) })),
      }));
      return { target, ...stateOf(observation), families };
    },
  }),

  'GET /v1/rules': route({
    summary: 'What each rule found in the document as it is now, and what is wrong with the rules file',
    response: z.object({
      file: z.string(),
      problems: z.array(z.string()),
      up: z.boolean(),
      time: z.string(),
      fault: z.optional(fault),
      rules: z.array(rule),
    }),
    async handle({ exposure, rulesFile, problems }: State) {
      const observation = await exposure.latest();
      return { file: rulesFile(), problems: [...problems()], ...stateOf(observation), rules: [...observation.reports] };
    },
  }),
};

function stateOf({ time, fault }: Awaited<ReturnType<Exposure['latest']>>) {
  return {
    up: !fault,
    time: time.toISOString(),
    ...(fault && { fault: { code: fault.code, message: fault.message, hint: fault.hint } }),
  };
}

const writable = (value: number) =>
  Number.isFinite(value) ? value : value > 0 ? ('+Inf' as const) : ('-Inf' as const);
