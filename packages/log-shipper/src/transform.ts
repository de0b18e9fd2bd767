// What is added to every record: the fields that were asked for, and the file it came from.

import type { Records } from './records.ts';

export function transform(
  records: Records,
  { fields, pathField }: { fields: Readonly<Record<string, string>>; pathField: string | undefined },
): void {
  const path = pathField === undefined ? {} : { [pathField]: records.chunk.path };
  records.common = { ...records.common, ...records.chunk.fields, ...path, ...fields };
}
