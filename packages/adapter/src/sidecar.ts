import { defineSidecar, Fault, reasonOf } from '@outrigger/core';
import manifest from '../package.json' with { type: 'json' };
import { routes, type State } from './api.ts';
import { checkParameters } from './check.ts';
import { errors } from './errors.ts';
import { type Observation, openExposure } from './expose.ts';
import { fetchDocument, showTarget } from './fetch.ts';
import { metrics } from './metrics.ts';
import { parameters } from './parameters.ts';
import { openReport } from './report.ts';
import { openRulesFile } from './rules-file.ts';
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

  start({ parameters, metrics, log, signal, stack }): State {
    const { target } = parameters;
    const report = openReport({ metrics, log }, showTarget(target));
    const rulesFile = openRulesFile(parameters.rulesFile, report);
    const translator = stack.use(openTranslator());
    const credentials = {
      user: parameters.targetUser,
      password: parameters.targetPassword,
      token: parameters.targetToken,
    };

    // fetch -> decode -> select -> convert, for one document and within one deadline.
    const observe = async (): Promise<Observation> => {
      const { timeout, bodyLimit, seriesLimit } = parameters;
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
      const time = new Date();
      try {
        const rules = rulesFile.refresh();
        const fetching = { target, credentials, timeout, bodyLimit, signal: deadline };
        const answer = await timed(metrics.fetchDuration, () => fetchDocument(fetching));
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
    return { target: showTarget(target), rulesFile, exposure: openExposure(observe, () => parameters.maxAge) };
  },

  collect: async ({ exposure }) => (await exposure.latest()).families,
  status: ({ target, rulesFile }) => ({ target, rulesFile: rulesFile.file, rulesProblems: rulesFile.problems }),
});

async function timed<T>(gauge: { set(value: number): void }, work: () => Promise<T>): Promise<T> {
  const from = performance.now();
  try {
    return await work();
  } finally {
    gauge.set((performance.now() - from) / 1000);
  }
}
