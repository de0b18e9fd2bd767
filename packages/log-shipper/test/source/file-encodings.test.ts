// Files that are not plain UTF-8 leave the shipper as such, and positions are those of the file.

import { until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { ledgerOf, workplace } from '../shipper.ts';

const utf16le = (text: string) => Buffer.from(text, 'utf16le');
const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16();

test('the byte order mark of a UTF-8 file is part of no line', async () => {
  await using place = await workplace();
  await place.append('\ufeffone\n');
  await using shipper = await place.ship();
  await place.append('two\n');
  await until(() => shipper.stdout === 'one\ntwo\n');
  await until(async () => (await ledgerOf(shipper)).files[0]?.lag === 0);
});

test('a file that holds nothing but its mark is finished', async () => {
  await using place = await workplace();
  await place.append('\ufeff');
  await using shipper = await place.ship();
  await until(async () => (await ledgerOf(shipper)).files[0]?.acknowledged === 3);
});

for (const [name, encode] of Object.entries({ 'UTF-16LE': utf16le, 'UTF-16BE': utf16be })) {
  test(`${name} is told by its mark, decoded, and gone on with after a restart`, async () => {
    await using place = await workplace();
    await place.append(encode('\ufefferste Zeile \u20ac\nzweite \u{1f600}\nhalb'));
    {
      await using shipper = await place.ship();
      await until(() => shipper.stdout === 'erste Zeile \u20ac\nzweite \u{1f600}\n');
      await until(
        async () =>
          (await ledgerOf(shipper)).files[0]?.acknowledged ===
          encode('\ufefferste Zeile \u20ac\nzweite \u{1f600}\n').length,
      );
      shipper.kill('SIGKILL');
      await shipper.exited;
    }
    await place.append(encode('e Zeile\nvierte\n'));
    await using shipper = await place.ship();
    await until(() => shipper.stdout.endsWith('halbe Zeile\nvierte\n'));
    await until(async () => (await ledgerOf(shipper)).files[0]?.lag === 0);
  });
}

test('what has no mark is what --source-file-encoding says', async () => {
  await using place = await workplace();
  await place.append(Buffer.from('caf\u00e9\n', 'latin1'));
  await using shipper = await place.ship(['--source-file-encoding', 'latin1']);
  await until(() => shipper.stdout === 'caf\u00e9\n');
  await until(async () => (await ledgerOf(shipper)).files[0]?.lag === 0);
});

test('a line of UTF-16 as long as the limit fits into a window', async () => {
  await using place = await workplace();
  const line = 'x'.repeat(0x40000 - 1);
  await place.append(utf16le(`\ufeff${line}\nnext\n`));
  await using shipper = await place.ship(['--line-limit', '256KiB']);
  await until(() => shipper.stdout === `${line}\nnext\n`);
});

test('what is excluded is not followed, whatever wildcard matches it', async () => {
  await using place = await workplace();
  await place.append('debug\n', 'debug-1.log');
  await place.append('app\n', 'app.log');
  await using shipper = await place.ship([
    '--source-file-paths',
    place.log('*.log'),
    '--source-file-exclude',
    place.log('debug*'),
  ]);
  await until(() => shipper.stdout === 'app\n');
  await place.append('debug\n', 'debug-2.log');
  await place.append('more\n', 'more.log');
  await until(() => shipper.stdout === 'app\nmore\n');
  expect((await ledgerOf(shipper)).files.length).toBe(2);
});
