// Joins a file as it grows, as the shipper does: what is not taken comes again.

import type { Join, Joined, Limits } from '../../src/join/index.ts';

export type Seen = {
  readonly text: string;
  readonly partial?: true;
  readonly error?: string;
  readonly stream?: string;
  readonly time?: string;
};

export const generous: Limits = { record: 1 << 20, timeout: 1000 };

export function seen(joined: Joined): Seen[] {
  const { bytes, spans, partial, errors, streams, times } = joined;
  return Array.from({ length: spans.length / 2 }, (_, index) => {
    const error = errors.get(index);
    const stream = [undefined, 'stdout', 'stderr'][streams?.[index] ?? 0];
    const seconds = times?.seconds[index] ?? Number.NaN;
    return {
      text: bytes.toString('latin1', spans[2 * index], spans[2 * index + 1]),
      ...(partial.has(index) && { partial: true as const }),
      ...(error !== undefined && { error }),
      ...(stream && { stream }),
      ...(!Number.isNaN(seconds) && { time: `${seconds}.${String(times?.nanos[index]).padStart(9, '0')}` }),
    };
  });
}

export const whole = (join: Join, content: string | Buffer, limits: Limits = generous) =>
  join({ bytes: Buffer.from(content as string), unfinished: 'line', quiet: 0, full: false }, limits);

/** @param steps how long the file is at each look. */
export function growing(join: Join, content: Buffer, steps: readonly number[], limits: Limits = generous): Seen[] {
  const found: Seen[] = [];
  let from = 0;
  const look = (size: number, unfinished: 'held' | 'line') => {
    for (;;) {
      const bytes = content.subarray(from, size);
      const joined = join({ bytes, unfinished, quiet: 0, full: false }, limits);
      found.push(...seen(joined));
      from += joined.length;
      if (joined.length === 0 || from === size) return;
    }
  };
  for (const step of [...steps].sort((a, b) => a - b)) look(Math.min(step, content.length), 'held');
  look(content.length, 'line');
  return found;
}

/** What must hold for acknowledgements, whatever was joined. */
export function contradictions(join: Join, content: Buffer, limits: Limits): string[] {
  const joined = whole(join, content, limits);
  const all = seen(joined);
  const wrong: string[] = [];
  if (joined.length !== content.length) wrong.push(`took ${joined.length} of ${content.length}`);
  if (all.length > 0 && joined.ends.at(-1) !== joined.length) wrong.push(`the last ends at ${joined.ends.at(-1)}`);
  const starts = joined.starts ?? all.map((_, index) => (index === 0 ? 0 : joined.ends[index - 1]!));
  joined.ends.forEach((end, index) => {
    if (end < (joined.ends[index - 1] ?? 0)) wrong.push(`${index} ends before ${index - 1}`);
    // After a restart there is what was not acknowledged, each as it was, and nothing else.
    const rest = seen(whole(join, content.subarray(end), limits));
    const expected = all.filter((_, at) => starts[at]! >= end);
    if (JSON.stringify(rest) !== JSON.stringify(expected))
      wrong.push(`from ${end} on: ${JSON.stringify({ rest, expected })}`);
  });
  return wrong;
}
