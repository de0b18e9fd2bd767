// The same line again within a while is dropped. How often is said by the next one of its kind, or, when none comes in
// time, by the next record of all.

import { hash } from 'node:crypto';
import { duration, integer, list, text } from '@outrigger/core';
import type { Records } from '../records.ts';
import { fieldOf, type Names, namesOf } from './fields.ts';
import { momentOf } from './moment.ts';
import { Recent } from './recent.ts';
import { defineTransform } from './transform.ts';

type Seen = { readonly at: number; suppressed: number };

export const deduplicate = defineTransform({
  summary: 'Drops records that were there a moment ago, and says how many',
  parameters: {
    window: duration({ default: '10s', min: '1ms', help: 'How long after a record the same one is dropped' }),
    by: list(text, { default: [], help: 'Fields that make records the same; the whole line unless given' }),
    keys: integer({ min: 1, max: 1_000_000, default: '10000', help: 'How many records are remembered' }),
  },
  open({ window, by, keys }) {
    const fields = by.map(namesOf);
    let homeless = 0;
    const seen = new Recent<Seen>(keys, ({ suppressed }) => {
      homeless += suppressed;
    });
    return {
      needs: fields.length > 0 ? 'fields' : 'bytes',
      apply(records) {
        for (let index = 0; index < records.count; index++) {
          if (records.dropped(index)) continue;
          const now = momentOf(records, index);
          const key = keyOf(records, index, fields);
          const before = seen.get(key);
          if (before && now - before.at < window) {
            before.suppressed++;
            records.drop(index, 'duplicate');
            continue;
          }
          const repeated = before?.suppressed ?? 0;
          seen.set(key, { at: now, suppressed: 0 });
          seen.forget(({ at }) => now - at >= window);
          if (repeated > 0) say(records, index, { repeated });
          if (homeless > 0) say(records, index, { suppressed: homeless });
          homeless = 0;
        }
      },
    };
  },
});

function say(records: Records, index: number, said: Readonly<Record<string, number>>): void {
  records.own.set(index, { ...records.own.get(index), ...said });
}

/** Wide enough that no two records are taken for the same by chance. */
function keyOf(records: Records, index: number, fields: readonly Names[]): string {
  if (fields.length === 0) return hash('sha1', records.line(index), 'latin1');
  return hash('sha1', JSON.stringify(fields.map((names) => fieldOf(records, index, names) ?? null)), 'latin1');
}
