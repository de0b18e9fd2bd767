import { rm } from 'node:fs/promises';
import { cannotMount, startSidecar, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { Receiver } from './receiver.ts';
import { argumentsFor, main, sequence, text, toForward, workplace } from './shipper.ts';

const reason = cannotMount();

test.skipIf(reason !== '')(
  `started on a full disk it lives, says so, and ships everything once there is room${reason && ` (${reason})`}`,
  async () => {
    await using place = await workplace();
    await using receiver = await Receiver.listen();
    await place.append(text(sequence(1, 100)));
    await using shipper = await startSidecar(main, argumentsFor(place.path, toForward(receiver.address)), {
      mount: { at: place.state(), options: 'size=64k', full: true },
      wait: false,
    });
    await until(() => shipper.url);
    const ready = await until(async () => {
      const response = await shipper.get('/readyz');
      const said = await response.text();
      return said.includes('There is no room') && { status: response.status, said };
    });
    expect(ready.status).toBe(503);
    expect((await shipper.get('/livez')).status).toBe(200);
    // Several attempts later it still waits, and has said so once.
    await until(async () => /attempt [3-9]/.test(await (await shipper.get('/readyz')).text()));
    expect(shipper.logs().filter(({ code }) => code === 'LOG_SHIPPER_STATE_FULL')).toHaveLength(1);
    expect(receiver.lines).toEqual([]);
    await rm(shipper.inside(place.state('filler')));
    await receiver.hasAll(sequence(1, 100));
    expect(receiver.lines).toEqual(sequence(1, 100));
    await until(async () => (await shipper.get('/readyz')).ok);
  },
);

test.skipIf(reason !== '')(
  `started on a disk that is read-only it says so, exit code 64${reason && ` (${reason})`}`,
  async () => {
    await using place = await workplace();
    for (const checking of [['--check'], []]) {
      await using shipper = await startSidecar(main, argumentsFor(place.path, checking), {
        mount: { at: place.state(), options: 'ro' },
        wait: false,
      });
      expect((await shipper.exited).code).toBe(64);
      expect(shipper.stderr).toMatch(/--state-directory .*(read-only|EROFS|permission)/);
    }
  },
);
