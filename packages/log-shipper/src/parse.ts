// Lines to records. A line that the parser cannot read is shipped as it is, with the reason: it is never dropped.

import type { Parser } from './parser/parser.ts';
import type { Records } from './records.ts';

/** @param seen whether somebody has to see fields; otherwise JSON stays bytes. */
export function parse(records: Records, parser: Parser, seen: boolean): void {
  if (!parser.parse) return;
  const torn = piecesIn(records);
  if (parser.format === 'json' && !seen) {
    records.format = 'json';
    for (const index of torn) records.excuse(index, reasonOfPiece);
    return;
  }
  const { spans, bytes, count } = records;
  records.fields = new Array(count);
  for (let index = 0; index < count; index++) {
    if (torn.has(index)) {
      records.excuse(index, reasonOfPiece);
      continue;
    }
    try {
      records.fields[index] = parser.parse(bytes, spans[2 * index]!, spans[2 * index + 1]!);
    } catch (error) {
      records.excuse(index, (error as Error).message);
    }
  }
}

const reasonOfPiece = 'it is a piece of a line that is longer than --line-limit';

/** A piece may happen to be something that can be read: whoever puts the line together again needs it as it is. */
function piecesIn({ own, pieces, ends, count }: Records): ReadonlySet<number> {
  const found = new Set<number>();
  // Of joined records the next one need not go on with it.
  if (pieces === 0 || ends) return found;
  for (const [index, { partial }] of own) {
    if (!partial) continue;
    found.add(index);
    if (index + 1 < count) found.add(index + 1);
  }
  return found;
}
