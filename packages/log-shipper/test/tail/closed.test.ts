import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { scratch, startPeer, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';

test('a reader that comes back after its files were closed ends, and does not keep the process from ending', async () => {
  await using directory = await scratch();
  await writeFile(directory.join('app.log'), 'line\n'.repeat(10_000));
  const script = fileURLToPath(import.meta.resolve('./closed.ts'));
  await using reader = await startPeer(process.execPath, [script, directory.join('app.log')]);
  await until(() => reader.process.exitCode !== null, { what: () => `its end: ${reader.stderr}` });
  expect(reader.stdout).toBe('ended\n');
});
