// What one sink reads from the followed files: in order within a lineage, fair between lineages.

import type { Chunk } from '../source/source.ts';
import { type FollowedFile, ReadBuffer, rewritten } from './followed-file.ts';
import type { Troubles } from './paths.ts';
import type { Tailer } from './tailer.ts';

type Followed = Pick<Tailer, 'files' | 'change' | 'ended' | 'isQuiet' | 'rewritten'>;

export type ReaderOptions = {
  readonly tailer: Followed;
  readonly troubles: Troubles;
  /** How many bytes a chunk may have. */
  readonly window: number;
};

/** Waits for more until the tailer has ended, then goes to the end of every file. */
export async function* readChunks(sink: string, { tailer, troubles, window }: ReaderOptions): AsyncGenerator<Chunk> {
  const buffer = new ReadBuffer(window);
  let served: string | undefined;
  for (;;) {
    // Taken before looking, so that no change falls between the two.
    const { change, ended } = tailer;
    const next = pick(sink, tailer, served);
    if (!next && ended) return;
    if (!next) {
      await change;
      continue;
    }
    const { file, unfinished } = next;
    served = file.lineage;
    const cursor = file.cursor(sink);
    try {
      const chunk = await file.read({ sink, buffer, unfinished });
      if (chunk === rewritten) await tailer.rewritten(file, cursor);
      else if (chunk) yield chunk;
      troubles.end(file.account.path);
    } catch (error) {
      // One that was finished is closed under a reader's hands.
      if (!tailer.files.includes(file)) continue;
      troubles.add(file.account.path, error);
      file.resting = true;
    }
  }
}

type Next = { readonly file: FollowedFile; readonly unfinished: Chunk['unfinished'] };

/** The oldest file with something to read of the lineage after the one that was served last. */
function pick(sink: string, tailer: Followed, served: string | undefined): Next | undefined {
  const first = new Map<string, Next>();
  for (const file of tailer.files) {
    if (first.has(file.lineage)) continue;
    const unfinished = tailer.isQuiet(file) ? 'line' : tailer.ended ? 'part' : 'held';
    if (file.readable(sink) || (unfinished !== 'held' && file.unfinished(sink)))
      first.set(file.lineage, { file, unfinished });
  }
  const lineages = [...first.keys()];
  const after = served === undefined ? 0 : lineages.indexOf(served) + 1;
  return first.get(lineages[after % lineages.length]!);
}
