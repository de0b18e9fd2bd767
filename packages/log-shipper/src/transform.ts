// What is added to every record: the fields that were asked for, and the file it came from.

import type { Records } from './parse.ts';

export function transform(
  records: Records,
  { fields, pathField }: { fields: Readonly<Record<string, string>>; pathField: string | undefined },
): Records {
  const path = pathField === undefined ? {} : { [pathField]: records.lines.chunk.path };
  return { ...records, common: { ...path, ...fields } };
}
