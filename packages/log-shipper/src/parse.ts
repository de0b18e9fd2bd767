// Lines to records. A line that the parser cannot read is shipped as it is, with the reason: it is never dropped.

import type { Lines } from './frame.ts';
import type { Fields, Parser } from './parser/parser.ts';

export type Records = {
  readonly lines: Lines;
  /** The fields of each line; undefined where the line itself is the record, absent when all are such. */
  readonly fields?: readonly (Fields | undefined)[];
  /** What single records have beside their fields, by index. */
  readonly own: ReadonlyMap<number, Fields>;
  /** What all of them have beside their fields. */
  readonly common: Fields;
  /** The field that holds a line which is its own record. */
  readonly lineField: string;
  /** How many lines the parser could not read. */
  readonly failures: number;
};

export function parse(lines: Lines, parser: Parser, { lineField }: { lineField: string }): Records {
  const own = new Map<number, Fields>();
  for (const index of lines.partial) own.set(index, { partial: true });
  if (!parser.parse) return { lines, own, common: {}, lineField, failures: 0 };
  const { spans, chunk } = lines;
  const fields: (Fields | undefined)[] = [];
  let failures = 0;
  for (let at = 0; at < spans.length; at += 2) {
    try {
      fields.push(parser.parse(chunk.bytes, spans[at]!, spans[at + 1]!));
    } catch (error) {
      own.set(fields.length, { ...own.get(fields.length), parse_error: (error as Error).message });
      fields.push(undefined);
      failures++;
    }
  }
  return { lines, fields, own, common: {}, lineField, failures };
}
