// Records as Splunk's collector wants events: one object behind the other.

import { uidOf } from '../batch.ts';
import type { ByteWriter } from '../byte-writer.ts';
import type { Encoding } from '../encoding/encoding.ts';
import { formatInstant } from '../encoding/instant.ts';
import { jsonRecord } from '../encoding/json.ts';
import { levelName } from '../encoding/level.ts';
import type { Instant } from '../records.ts';

type Constants = Readonly<Record<'host' | 'source' | 'sourcetype' | 'index', string | undefined>>;

export const events =
  ({ source, ...constants }: Constants): Encoding =>
  (records) => {
    const write = jsonRecord(records);
    const same = JSON.stringify({ source: source ?? records.chunk.path, ...constants });
    const head = Buffer.from(`${same.slice(0, -1)},"event":`);
    return (index, into) => {
      into.copy(head);
      write(index, into);
      // Only now are they sure to be known: they may be members of what was written.
      into.text(',"time":');
      writeSeconds(records.time(index), into);
      const level = records.level(index);
      into.text(
        level > 0 ? `,"fields":{"level":"${levelName(level)}","log_record_uid":"` : ',"fields":{"log_record_uid":"',
      );
      into.text(`${uidOf(records, index)}"}}\n`);
    };
  };

/** Digits, not a number: a double has too few for nanoseconds. */
const writeSeconds = (instant: Instant, into: ByteWriter) => {
  const { rawJSON } = formatInstant(instant, 'unix') as { rawJSON: string };
  into.text(rawJSON);
};
