// What one sink reads from the followed files: in order within a lineage, fair between lineages.

import type { Chunk } from '../source/source.ts';
import { Buffers } from './buffers.ts';
import { type FollowedFile, Reason, rewritten } from './followed-file.ts';
import type { Lineage } from './followed-files.ts';
import type { Troubles } from './paths.ts';
import type { Ready } from './ready.ts';
import type { Tailer } from './tailer.ts';

type Followed = Pick<Tailer, 'listen' | 'ended' | 'isWhole' | 'rewritten' | 'left'>;

export type ReaderOptions = {
  readonly tailer: Followed;
  readonly troubles: Troubles;
  /** How many bytes a chunk may have. */
  readonly window: number;
  /** For how many milliseconds a file must have been quiet before what was not taken of it is offered again. */
  readonly holdTimeout?: number;
};

/** Waits for more until the tailer has ended, then goes to the end of every file. */
export async function* readChunks(sink: string, options: ReaderOptions): AsyncGenerator<Chunk> {
  const { tailer, troubles, window } = options;
  const buffers = new Buffers(window);
  using ready = tailer.listen();
  for (;;) {
    const next = pick(sink, ready, options);
    if (!next && tailer.ended) return;
    if (!next) {
      await ready.wait();
      continue;
    }
    const { file, reasons } = next;
    const cursor = file.cursor(sink);
    try {
      const chunk = await file.read({ sink, buffers, reasons });
      if (chunk === rewritten) tailer.rewritten(file, cursor);
      else if (chunk) yield chunk;
      troubles.end(file.account.path);
    } catch (error) {
      // One that was finished is closed under a reader's hands.
      if (file.closed && !tailer.ended) continue;
      // All are closed: whoever went on would meet the same one again, and keep the process from ending.
      if (file.closed) return;
      troubles.add(file.account.path, error);
      file.resting = true;
    }
    tailer.left(file);
  }
}

type Next = { readonly file: FollowedFile; readonly reasons: number };

/** The oldest file with something to read of the lineage whose turn it is. Its next turn comes after all others had one. */
function pick(sink: string, ready: Ready, options: ReaderOptions): Next | undefined {
  for (let lineage = ready.take(); lineage; lineage = ready.take()) {
    const next = oldest(sink, lineage, options);
    if (next) {
      ready.add(lineage);
      return next;
    }
  }
  return undefined;
}

function oldest(
  sink: string,
  { files }: Lineage,
  { tailer, holdTimeout = Number.POSITIVE_INFINITY }: ReaderOptions,
): Next | undefined {
  const now = performance.now();
  for (const file of files) {
    const quiet = now - file.grown >= holdTimeout ? Reason.quiet : 0;
    const whole = tailer.isWhole(file) ? Reason.whole : 0;
    const reasons = quiet | whole | (tailer.ended ? Reason.ended : 0);
    if (file.offers(sink, reasons)) return { file, reasons };
  }
  return undefined;
}
