// From the tape of a line to MessagePack.

import type { ByteWriter } from '../byte-writer.ts';
import {
  putHeader,
  putInteger,
  putMapHeader,
  putNumber,
  putTextHeader,
  writeDigits,
} from '../encoding/msgpack-values.ts';
import { readNumber } from './digits.ts';
import { putUnescaped } from './escapes.ts';
import type { Scanner } from './scan.ts';
import { tokens } from './tape.ts';
import { copyRun } from './words.ts';

const { map, list, text, escaped, integer, constant, width } = tokens;

/** Writes the members of the object that was scanned, without a header. Their count is in front of the tape. */
export function writeMembers(scanner: Scanner, into: ByteWriter): void {
  const { tape, length, bytes, view } = scanner;
  // Nothing grows by more than `0.5,` does: four bytes become nine. Runs are copied by eight.
  const out = into.reserve((((scanner.last - scanner.first) * 9) >> 2) + 16);
  const room = into.view;
  let { at } = into;
  for (let t = width; t < length; t += width) {
    const a = tape[t + 1]!;
    switch (tape[t]) {
      case text: {
        const end = tape[t + 2]!;
        at = putTextHeader(out, at, end - a);
        copyRun(bytes, view, a, end, out, room, at);
        at += end - a;
        break;
      }
      case integer:
        at = putInteger(out, at, a);
        break;
      case constant:
        out[at++] = a;
        break;
      case map:
        at = putMapHeader(out, at, a);
        break;
      case list:
        at = putHeader(out, at, a, 0x90, 0xdc);
        break;
      case escaped:
        at = putUnescaped(bytes, a, tape[t + 2]!, out, at);
        break;
      default: {
        const value = readNumber(bytes, a, tape[t + 2]!);
        if (!Number.isNaN(value)) at = putNumber(out, room, at, value);
        else {
          into.at = at;
          writeDigits(into, bytes.toString('latin1', a, tape[t + 2]!));
          at = into.at;
        }
      }
    }
  }
  into.at = at;
}
