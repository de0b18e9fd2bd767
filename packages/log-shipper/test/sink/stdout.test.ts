import { until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { ledgerOf, sequence, text, workplace } from '../shipper.ts';

test('lines are printed byte for byte, also those that are not UTF-8', async () => {
  await using place = await workplace();
  await using shipper = await place.ship();
  let printed = '';
  shipper.process.stdout!.removeAllListeners('data').setEncoding('latin1');
  shipper.process.stdout!.on('data', (text: string) => {
    printed += text;
  });
  const written = 'plain\n\xff\xfe not UTF-8\n\r\nzero\0byte\n';
  await place.append(Buffer.from(written, 'latin1'));
  await until(() => printed === written);
});

test('as JSON, a record has the line and what was added to it', async () => {
  await using place = await workplace();
  await using shipper = await place.ship(['--sink-stdout-encoding', 'json', '--fields', 'service=billing']);
  await place.append('quote " and \\ \u00e4\n');
  await until(() => shipper.stdout.endsWith('\n'));
  expect(JSON.parse(shipper.stdout)).toEqual({ log: 'quote " and \\ \u00e4', service: 'billing' });
});

test('a reader that pauses stops the reading of files and nothing else', async () => {
  await using place = await workplace();
  await using shipper = await place.ship(['--batch-limit', '64KiB']);
  shipper.process.stdout!.pause();
  const lines = sequence(1, 400_000);
  await place.append(text(lines));
  const inFlight = await until(async () => {
    const [sink] = (await ledgerOf(shipper)).sinks;
    return sink?.state === 'sending' && sink.inFlight.bytes;
  });
  expect(inFlight).toBeLessThanOrEqual(65_536);
  expect((await shipper.get('/livez')).status).toBe(200);
  expect((await ledgerOf(shipper)).files[0]!.read).toBeLessThan(4 * 1024 * 1024);
  shipper.process.stdout!.resume();
  await until(() => shipper.stdout.length === text(lines).length);
  expect(shipper.stdout).toBe(text(lines));
});

test('a reader that goes away ends the process with a reason, and the next one prints what had not been taken', async () => {
  await using place = await workplace();
  {
    await using shipper = await place.ship();
    await place.append('taken\n');
    await until(async () => (await ledgerOf(shipper)).files[0]?.acknowledged === 6);
    shipper.process.stdout!.destroy();
    await place.append('not taken\n');
    expect(await shipper.exited).toEqual({ code: 1, signal: null });
    expect(shipper.logs().at(-1)).toMatchObject({ level: 'error', code: 'LOG_SHIPPER_SINK_BROKEN' });
  }
  await using again = await place.ship();
  await until(() => again.stdout === 'not taken\n');
});
