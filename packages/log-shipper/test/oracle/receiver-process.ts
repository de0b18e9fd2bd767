// A receiver that can be killed, stopped, and told to fail; the next one finds the store of the one before.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from '@outrigger/core/testing';
import { Tail } from './journal.ts';
import type { Arrival, OracleSink } from './sink.ts';

type Stored =
  | { readonly wrong: string }
  | (Pick<Arrival, 'run' | 'at' | 'chunk'> & { readonly records: readonly (readonly [string, string])[] });

export type ReceiverOptions = {
  readonly name: string;
  /** Gets a port and the path of its store as arguments, and how to fail as messages, which it answers. */
  readonly script: string;
  /** Where the store is. */
  readonly store: string;
  /** Of the shipper, for a receiver at this address. */
  readonly args: (address: string) => readonly string[];
  /** What the script can do beside dying and stopping. */
  readonly faults: readonly string[];
};

const always = ['is killed', 'is stopped'];

export async function startReceiver(options: ReceiverOptions): Promise<OracleSink> {
  const { name, script, store, args, faults } = options;
  const port = await freePort();
  const tail = new Tail(store);
  let child = await start();
  let failing: string | undefined;

  function start(): Promise<ChildProcess> {
    const started = fork(fileURLToPath(import.meta.resolve(script)), [String(port), store], { execArgv: [] });
    return answerOf(started).then(() => started);
  }
  /** Rejects when it ends instead. */
  async function answerOf(receiver: ChildProcess): Promise<void> {
    using waiting = new DisposableStack();
    const { signal } = waiting.adopt(new AbortController(), (each) => each.abort());
    const died = once(receiver, 'exit', { signal }).then(([code]) => {
      throw new Error(`${script} has ended by itself with ${code}`);
    });
    await Promise.race([once(receiver, 'message', { signal }), died]);
  }
  async function end(): Promise<void> {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  async function tell(how: string): Promise<void> {
    const answered = answerOf(child);
    child.send(how);
    await answered;
  }
  async function heal(): Promise<void> {
    if (failing === 'is killed') child = await start();
    else if (failing === 'is stopped') child.kill('SIGCONT');
    else if (failing !== undefined) await tell('not at all');
    failing = undefined;
  }
  return {
    name,
    args: args(`127.0.0.1:${port}`),
    faults: [...always, ...faults],
    async fail(how) {
      await heal();
      failing = how;
      if (how === 'is killed') await end();
      else if (how === 'is stopped') child.kill('SIGSTOP');
      else await tell(how);
    },
    heal,
    received: () => tail.next().flatMap(arrivalOf),
    [Symbol.asyncDispose]: end,
  };
}

function arrivalOf(text: string): readonly Arrival[] {
  const stored = storedIn(text);
  if (!stored) return [];
  if ('wrong' in stored) throw new Error(`the receiver was sent ${stored.wrong}`);
  return [{ ...stored, records: stored.records.map(([line, path]) => ({ line, path })) }];
}

/** Undefined for what a receiver was writing when it was killed: it has not acknowledged that. */
function storedIn(text: string): Stored | undefined {
  try {
    return JSON.parse(text) as Stored;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export const forwardSink = (store: string): Promise<OracleSink> =>
  startReceiver({
    name: 'forward',
    script: './forward-receiver.ts',
    store,
    args: (address) => [
      ...['--sink', 'forward', '--sink-forward-address', address, '--sink-forward-tag', 'oracle'],
      ...['--sink-forward-ack-timeout', '700ms'],
    ],
    faults: [
      'hang up before storing',
      'hang up after storing',
      'never acknowledge',
      'acknowledge another',
      'acknowledge twice',
      'talk nonsense',
      'reset mid-frame',
      'read slowly',
    ],
  });

export const httpSink = (store: string): Promise<OracleSink> =>
  startReceiver({
    name: 'http',
    script: './http-receiver.ts',
    store,
    args: (address) => ['--sink', 'http', '--sink-http-url', `http://${address}/logs`, '--sink-http-timeout', '2s'],
    faults: [
      'is overloaded',
      'asks to wait',
      'answers 500 after storing',
      'is reset mid-body',
      'closes without an answer',
      'hangs up after storing',
      'never answers',
      'does not speak HTTP',
      'informs first',
      'reads slowly',
    ],
  });
