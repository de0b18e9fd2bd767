// Lines to records. A line that the parser cannot read is shipped as it is, with the reason: it is never dropped.

import type { Parser } from './parser/parser.ts';
import type { Records } from './records.ts';

/** @param seen whether somebody has to see fields; otherwise JSON stays bytes. */
export function parse(records: Records, parser: Parser, seen: boolean): void {
  if (!parser.parse) return;
  if (parser.format === 'json' && !seen) {
    records.format = 'json';
    return;
  }
  const { spans, bytes, count } = records;
  records.fields = new Array(count);
  for (let index = 0; index < count; index++) {
    try {
      records.fields[index] = parser.parse(bytes, spans[2 * index]!, spans[2 * index + 1]!);
    } catch (error) {
      records.excuse(index, (error as Error).message);
    }
  }
}
