// Lines that are their own record, to entries of Forward by the kernel, as many in a call as it has room for.

import type { Run } from '../encoding/encoding.ts';
import { putTime } from '../encoding/entry.ts';
import type { Records } from '../records.ts';
import { kernelOf, load } from './kernel.ts';

export type Given = {
  readonly records: Records;
  /** An entry up to its text, with the time of reading. */
  readonly head: Buffer;
  /** What all records have, as members of a map. */
  readonly common: Buffer;
};

/** Undefined where there is no kernel, or no room in it for what all records have. All lines have to be UTF-8. */
export function openTexts({ records, head, common }: Given): Run | undefined {
  const kernel = kernelOf();
  if (!kernel || head.length + common.length > kernel.place('MOST_TEXT')) return undefined;
  const owner = kernel.newOwner();
  const { exports, bytes, places } = kernel;
  const prepare = () => {
    const at = kernel.place('TEXTS');
    const length = head.copy(bytes, at);
    exports.setHead(at, length);
    exports.setCommon(at + length, common.copy(bytes, at + length), 0);
    kernel.owner = owner;
  };
  return (first, { into, offsets, room, most }) => {
    if (kernel.owner !== owner) prepare();
    const lines = load(kernel, records, first, Math.min(most, plainFrom(records, first)));
    const written = exports.texts(lines, Math.min(room, largest));
    if (records.times)
      for (let index = 0; index < written; index++) putTime(bytes, places[index]!, records.time(first + index));
    const from = places[0]!;
    offsets.append(places.subarray(0, written), into.length - from);
    into.copy(bytes, from, places[written]!);
    return written;
  };
}

/** More than all entries that the kernel makes in a call. */
const largest = 0x100000;

/** How many records in a row are their lines, as these lie, and nothing else. */
function plainFrom({ own, replaced, count }: Records, first: number): number {
  if (own.size === 0 && !replaced) return count - first;
  let index = first;
  while (index < count && !own.has(index) && !replaced?.has(index)) index++;
  return index - first;
}
