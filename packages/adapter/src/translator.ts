// Where a document is translated. A short one here; a long one in a thread of its own, so that probes are answered
// meanwhile and a document that takes too much time or memory costs a thread and not the sidecar.

import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Fault, type Fields, reasonOf } from '@outrigger/core';
import { errors } from './errors.ts';
import type { Rules } from './rules.ts';
import { type Answer, type CompiledRules, compileRules, type Translation, translate } from './translate.ts';

export type Job = { readonly answer: Answer; readonly rules: Rules; readonly seriesLimit: number };

export type Translator = AsyncDisposable & {
  /** One at a time. Throws a Fault when the document as a whole is wrong, or when the signal aborts. */
  translate(job: Job, signal: AbortSignal): Promise<Translation>;
};

// Translating this much takes about 15 ms; a thread costs 20 MB and takes 100 ms to start.
const shortDocument = 128 * 1024;
const mark = 'outrigger-adapter-translator';

export function openTranslator(): Translator {
  const compiled = compileOnce();
  let worker: Worker | undefined;
  const end = async () => {
    const ending = worker;
    worker = undefined;
    await ending?.terminate();
  };
  return {
    async translate(job, signal) {
      if (job.answer.bytes.length <= shortDocument) return translate(job.answer, compiled(job.rules), job.seriesLimit);
      worker ??= startWorker(() => {
        worker = undefined;
      });
      try {
        return await ask(worker, job, signal);
      } catch (error) {
        // A thread that has answered is fit for the next document; one that has not is stuck or dead.
        if (!(error instanceof Fault) || error.code === 'ADAPTER_DOCUMENT_COST') await end();
        throw error;
      }
    },
    [Symbol.asyncDispose]: end,
  };
}

function compileOnce(): (rules: Rules) => CompiledRules {
  let last: { readonly rules: Rules; readonly compiled: CompiledRules } | undefined;
  return (rules) => {
    if (last?.rules !== rules) last = { rules, compiled: compileRules(rules) };
    return last.compiled;
  };
}

function startWorker(ended: () => void): Worker {
  // Half of what the container may use: the thread runs out of memory before the kernel ends the sidecar.
  const half = Math.floor(process.constrainedMemory() / 2 / 1024 / 1024);
  const worker = new Worker(new URL(import.meta.url), {
    name: 'translator',
    workerData: mark,
    // A tree is built and thrown away: a roomy young generation spares most of the collector's copying.
    resourceLimits: { maxOldGenerationSizeMb: Math.max(32, Math.min(256, half)), maxYoungGenerationSizeMb: 24 },
  });
  // What breaks it is told to whoever waits for an answer.
  worker.on('error', ended).on('exit', ended).unref();
  return worker;
}

type Outcome =
  | { readonly translation: Translation }
  | { readonly code: keyof typeof errors & string; readonly fields: Fields }
  | { readonly failed: string };

function ask(worker: Worker, job: Job, signal: AbortSignal): Promise<Translation> {
  const { promise, resolve, reject } = Promise.withResolvers<Translation>();
  const listeners = new AbortController();
  const once = { signal: listeners.signal };
  const cost = (detail: string) => reject(errors.ADAPTER_DOCUMENT_COST({ detail }));
  const onMessage = (outcome: Outcome) => {
    if ('translation' in outcome) resolve(outcome.translation);
    else if ('code' in outcome) reject(errors[outcome.code](outcome.fields));
    else cost(outcome.failed);
  };
  const onError = (error: unknown) => cost(reasonOf(error));
  const onExit = () => cost('its thread ended');
  worker.on('message', onMessage).on('error', onError).on('exit', onExit);
  signal.addEventListener('abort', () => cost('it took too long'), once);
  if (signal.aborted) cost('it took too long');
  else worker.postMessage(job);
  return promise.finally(() => {
    listeners.abort();
    worker.off('message', onMessage).off('error', onError).off('exit', onExit);
  });
}

if (!isMainThread && workerData === mark) {
  parentPort!.on('message', ({ answer, rules, seriesLimit }: Job) => {
    parentPort!.postMessage(outcomeOf(() => translate(answer, compileRules(rules), seriesLimit)));
  });
  // In the bundle of an image this file is also main.ts: the thread goes no further, or it would be a second sidecar.
  await new Promise(() => undefined);
}

function outcomeOf(task: () => Translation): Outcome {
  try {
    return { translation: task() };
  } catch (error) {
    if (error instanceof Fault) return { code: error.code as keyof typeof errors & string, fields: error.fields };
    return { failed: reasonOf(error) };
  }
}
