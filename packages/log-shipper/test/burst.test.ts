// What made Fluent Bit lose lines (fluent-bit#10414): a burst, a rotation at once, and a sink that does not keep up.

import { appendFile, rename } from 'node:fs/promises';
import { until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { numbered, startCounting } from './oracle/counting.ts';
import { toForward, workplace } from './shipper.ts';

// The system tests have a million.
const lines = Number(process.env.BURST_LINES ?? 200_000);

test(`a burst of ${lines} lines within a second, rotated at once, arrives whole at a sink that is slow`, async () => {
  await using place = await workplace();
  // One batch in 20 ms: far slower than what is written.
  await using receiver = await startCounting({ delay: 20 });
  await using _shipper = await place.ship(toForward(receiver.address));
  const third = Math.floor(lines / 3);
  const parts = [0, 1, 2].map((part) =>
    numbered('burst', { from: part * third, count: part < 2 ? third : lines - 2 * third, length: 100 }),
  );
  const begun = performance.now();
  for (const [index, part] of parts.entries()) {
    await appendFile(place.log(), part);
    if (index === 2) break;
    if (index === 1) await rename(place.log('app.log.1'), place.log('app.log.2'));
    await rename(place.log(), place.log('app.log.1'));
  }
  expect(performance.now() - begun).toBeLessThan(1000);
  // Nothing of that is behind it yet.
  expect((await receiver.of('burst')).next).toBeLessThan(lines);
  let count = await receiver.of('burst');
  await until(
    async () => {
      count = await receiver.of('burst');
      return count.next === lines;
    },
    { deadline: 50_000, what: () => `${lines} lines: ${JSON.stringify(count)}` },
  );
  expect(count).toEqual({ next: lines, again: 0, early: 0 });
});
