import { defineSidecar, Fault, formatProblem, reasonOf } from '@outrigger/core';
import manifest from '../package.json' with { type: 'json' };
import { routes, type State } from './api.ts';
import { Breaker, breakerStates } from './breaker.ts';
import { checkParameters } from './check.ts';
import { errors } from './errors.ts';
import { type Observation, openExposure } from './expose.ts';
import { fetchUnlessHanging, showTarget } from './fetch.ts';
import { metrics } from './metrics.ts';
import { parameters } from './parameters.ts';
import { openReport } from './report.ts';
import { openTargetTls } from './target-tls.ts';
import { openTranslator } from './translator.ts';

export const sidecar = defineSidecar({
  name: 'adapter',
  version: manifest.version,
  summary: "Serves an application's own status page as Prometheus metrics",
  port: 9403,
  parameters,
  metrics,
  errors,
  routes,
  check: checkParameters,

  async start({ parameters, refusedParameters, metrics, log, signal, stack }): Promise<State> {
    const { target } = parameters;
    const report = openReport({ metrics, log }, showTarget(target));
    const translator = stack.use(openTranslator());
    const credentials = {
      user: parameters.targetUser,
      password: parameters.targetPassword,
      token: parameters.targetToken,
      tls: await openTargetTls({ parameters, log, stack }),
    };

    const breaker = new Breaker({ failures: () => parameters.failFastAfter, openTime: () => parameters.failFastTime });
    const measure = () => {
      for (const state of breakerStates) metrics.targetBreaker.set({ state }, state === breaker.state ? 1 : 0);
      metrics.targetBreakerChange.set(breaker.since.getTime() / 1000);
    };

    // fetch -> decode -> select -> convert, for one document and within one deadline.
    const observe = async (): Promise<Observation> => {
      const { timeout, bodyLimit, seriesLimit, rules } = parameters;
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
      const time = new Date();
      try {
        const fetching = { target, credentials, timeout, bodyLimit, signal: deadline };
        const answer = await timed(metrics.fetchDuration, () => fetchUnlessHanging(fetching, breaker));
        metrics.documentSize.set(answer.bytes.length);
        const job = { answer, rules, seriesLimit };
        const { repairs, ...found } = await timed(metrics.translateDuration, () => translator.translate(job, deadline));
        const observation = { time, ...found };
        report.document({ observation, repairs });
        return observation;
      } catch (error) {
        const fault = error instanceof Fault ? error : errors.ADAPTER_DOCUMENT_COST({ detail: reasonOf(error) }, error);
        const observation = { time, families: [], reports: [], fault };
        // What breaks off because the sidecar stops says nothing about the target.
        if (!signal.aborted) report.document({ observation, repairs: [] });
        return observation;
      }
    };

    // expose: nothing is fetched until somebody asks.
    const maxAge = () => parameters.maxAge;
    const trying = () => breaker.state === 'half-open';
    const rulesFile = () => parameters.rules.file;
    const problems = () => refusedParameters().map((each) => `${each.parameter} ${formatProblem(each)}`);
    const exposure = openExposure({ observe, maxAge, trying });
    return { target: showTarget(target), rulesFile, problems, breaker, measure, exposure };
  },

  async collect({ exposure, measure }) {
    const { families } = await exposure.latest();
    // Now, and not when an observation ends: by then no trial is under way.
    measure();
    return families;
  },
  status: ({ target, rulesFile, problems, breaker }) => ({
    target,
    breaker: { state: breaker.state, since: breaker.since },
    rulesFile: rulesFile(),
    rulesProblems: problems(),
  }),
});

async function timed<T>(gauge: { set(value: number): void }, work: () => Promise<T>): Promise<T> {
  const from = performance.now();
  try {
    return await work();
  } finally {
    gauge.set((performance.now() - from) / 1000);
  }
}
