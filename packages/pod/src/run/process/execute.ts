// A command beside a container: exec probes and hooks.

import { launch, type Program } from './launch.ts';

export type Executed = { readonly code: number; readonly output: string };

const kept = 2000;

/** Runs to the end; when the signal aborts, its whole group is killed and the promise rejects with the reason. */
export async function execute(program: Program, signal: AbortSignal): Promise<Executed> {
  signal.throwIfAborted();
  const running = launch(program);
  let output = '';
  for (const stream of [running.stdout, running.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-kept);
    });
  const abort = () => running.kill();
  signal.addEventListener('abort', abort, { once: true });
  try {
    const { code, reason } = await running.exited;
    signal.throwIfAborted();
    return { code, output: oneLine(output) || reason };
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

const oneLine = (text: string) =>
  text
    .trim()
    .replace(/\s*\n\s*/g, ', ')
    .slice(-400);
