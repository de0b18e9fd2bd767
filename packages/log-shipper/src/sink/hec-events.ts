// Records as Splunk's collector wants events: one object behind the other.

import { stampOf } from '../byte-writer.ts';
import type { Encoding } from '../encoding/encoding.ts';
import { InstantMember } from '../encoding/instant.ts';
import { jsonRecord } from '../encoding/json.ts';
import { levelName } from '../encoding/level.ts';
import { uidWriter } from '../encoding/uid.ts';

type Constants = Readonly<Record<'host' | 'source' | 'sourcetype' | 'index', string | undefined>>;

const fields = stampOf(',"fields":{"log_record_uid":"');
const end = stampOf('"}}\n');
/** By level; the first is that of a record that has none. */
const endings = [end, ...Array.from({ length: 24 }, (_, at) => stampOf(`","level":"${levelName(at + 1)}"}}\n`))];
const comma = 0x2c;

export const events =
  ({ source, ...constants }: Constants): Encoding =>
  (records) => {
    const write = jsonRecord(records);
    const writeUid = uidWriter(records);
    const same = JSON.stringify({ source: source ?? records.chunk.path, ...constants });
    const head = stampOf(`${same.slice(0, -1)},"event":`);
    const time = new InstantMember('time', 'unix');
    return (index, into) => {
      into.stamp(head);
      write(index, into);
      into.byte(comma);
      // Only now are time and level sure to be known: they may be members of what was written.
      time.write(records.time(index), into);
      into.stamp(fields);
      writeUid(index, into);
      into.stamp(endings[records.level(index)] ?? end);
    };
  };
