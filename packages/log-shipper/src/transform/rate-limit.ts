// A bucket of tokens for each key: it fills with the time of the records, and a record takes one. Keys are bounded: one
// that was not seen for long is forgotten, and begins with a full bucket.

import { integer, text } from '@outrigger/core';
import type { Records } from '../records.ts';
import { fieldOf, namesOf } from './fields.ts';
import { momentOf } from './moment.ts';
import { Recent } from './recent.ts';
import { defineTransform } from './transform.ts';

type Bucket = { tokens: number; at: number };
type KeyOf = (records: Records, index: number) => string;

const plain: Readonly<Record<string, KeyOf>> = {
  all: () => '',
  path: ({ chunk }) => chunk.path,
  tag: ({ tags }, index) => tags?.[index] ?? '',
  stream: (records, index) => String(fieldOf(records, index, ['stream'])),
};

const longestKey = 256;

export const rateLimit = defineTransform({
  summary: 'Drops records beyond so many a second',
  parameters: {
    rate: integer({ min: 1, max: 10_000_000, help: 'Records a second that each key may have', example: '1000' }),
    burst: integer({ min: 1, optional: true, help: 'Records at once; as many as in a second unless given' }),
    by: {
      ...text({ default: 'all', help: 'What is counted for itself: all, path, tag, stream or field.<name>' }),
      parse,
    },
    keys: integer({ min: 1, max: 1_000_000, default: '10000', help: 'How many keys are remembered' }),
  },
  open({ rate, burst = rate, by, keys }) {
    const names = by.startsWith('field.') ? namesOf(by.slice('field.'.length)) : undefined;
    const keyOf: KeyOf = names ? (records, index) => textOf(fieldOf(records, index, names)) : plain[by]!;
    const buckets = new Recent<Bucket>(keys);
    return {
      needs: names ? 'fields' : 'bytes',
      apply(records) {
        for (let index = 0; index < records.count; index++) {
          if (records.dropped(index)) continue;
          const key = keyOf(records, index);
          const now = momentOf(records, index);
          const bucket = buckets.get(key) ?? { tokens: burst, at: now };
          buckets.set(key, bucket);
          if (!take(bucket, { now, rate, burst })) records.drop(index, 'rate');
        }
      },
    };
  },
});

function take(bucket: Bucket, { now, rate, burst }: { now: number; rate: number; burst: number }): boolean {
  // Times of several files do not come in order.
  if (now > bucket.at) {
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * rate);
    bucket.at = now;
  }
  if (bucket.tokens < 1) return false;
  bucket.tokens--;
  return true;
}

const textOf = (value: unknown) =>
  (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).slice(0, longestKey);

function parse(written: string): string {
  if (Object.hasOwn(plain, written)) return written;
  if (!/^field\../.test(written) || namesOf(written.slice('field.'.length)).includes(''))
    throw new Error('all, path, tag, stream or field.<name> is expected');
  return written;
}
