// The drain deadline comes while a sink is still taking what it is given.

import { until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { numbered, startCounting } from './oracle/counting.ts';
import { toForward, workplace } from './shipper.ts';

test('told to stop while a slow sink has far more to take than there is time, it ends by the deadline', async () => {
  for (let delay = 1; delay <= 3; delay++) {
    await using place = await workplace();
    await using receiver = await startCounting({ delay });
    await place.append(numbered('slow', { from: 0, count: 200_000, length: 100 }));
    await using shipper = await place.ship([
      ...toForward(receiver.address),
      ...['--batch-limit', '1KiB', '--drain-timeout', '500ms'],
    ]);
    await until(async () => (await receiver.of('slow')).next > 0);
    shipper.kill('SIGTERM');
    await until(() => shipper.process.exitCode !== null, { deadline: 5_000, what: () => `its end: ${shipper.stderr}` });
    expect((await shipper.exited).code).toBe(75);
  }
});
