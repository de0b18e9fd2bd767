// A tailer without a sidecar around it, moved by hand or left to itself.

import type { Positions } from '../../src/checkpoint.ts';
import { Ledger } from '../../src/ledger.ts';
import type { Chunk } from '../../src/source/source.ts';
import { OwnFiles } from '../../src/tail/own-files.ts';
import { Paths, Troubles } from '../../src/tail/paths.ts';
import { Tailer, type TailerOptions } from '../../src/tail/tailer.ts';
import { silent } from '../silent.ts';

const nothing = () => undefined;
const instrument = { inc: nothing, set: nothing, observe: nothing };
export const surroundings = {
  log: silent,
  events: { publish: nothing },
  metrics: new Proxy({}, { get: () => instrument }),
} as unknown as Pick<TailerOptions, 'log' | 'events' | 'metrics'>;

export const unknown: Positions = { version: 1, since: '0', files: [], youngest: [] };

type Options = Partial<Pick<TailerOptions, 'poll' | 'rotateWait'>> & {
  readonly paths: readonly string[];
  readonly sinks?: readonly string[];
  readonly kept?: Positions;
  /** Done between the look at the names and what follows from it. */
  readonly looked?: () => Promise<void>;
};

class DisturbedPaths extends Paths {
  readonly #looked: Options['looked'];

  constructor(paths: readonly string[], options: ConstructorParameters<typeof Paths>[1], looked: Options['looked']) {
    super(paths, options);
    this.#looked = looked;
  }

  override async look(every: number) {
    const found = await super.look(every);
    await this.#looked?.();
    return found;
  }
}

export function follow(options: Options) {
  const { paths, sinks = ['sink'], kept = unknown, poll = 3_600_000, rotateWait = 0, looked } = options;
  const troubles = new Troubles(silent);
  const stopping = new AbortController();
  const ledger = new Ledger(sinks, kept);
  const tailer = new Tailer({
    ...surroundings,
    ledger,
    troubles,
    paths: new DisturbedPaths(paths, { own: new OwnFiles({ stateDirectory: '/nowhere' }), troubles }, looked),
    poll,
    rotateWait,
    patience: 0,
    signal: stopping.signal,
    fail: (error) => {
      throw error;
    },
  });
  return { ledger, tailer, troubles, stop: () => stopping.abort() };
}

/** Everything in it was delivered, and nobody looks at it any more. */
export function finish(chunk: Chunk, length = chunk.bytes.length): void {
  const delivered = chunk.acknowledgement(length);
  chunk.take(length);
  delivered({ delivered: length, dead: 0, dropped: {} });
  chunk.release();
}
