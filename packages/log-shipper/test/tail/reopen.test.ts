// A file that had to be closed is found again, whatever happens to its name meanwhile.

import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type Scratch, scratch } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { Ledger } from '../../src/ledger.ts';
import { openAny } from '../../src/tail/bounds.ts';
import { FollowedFile } from '../../src/tail/followed-file.ts';
import { Handles } from '../../src/tail/handles.ts';
import { Listings } from '../../src/tail/listings.ts';
import { unknown } from './follow.ts';

/** A file that was read to its end and closed. @param opening happens before one is opened. */
function closedFile(directory: Scratch, opening: () => void) {
  const path = directory.join('app.log');
  writeFileSync(path, 'one\n');
  let armed = false;
  const handles = new Handles((name) => {
    if (armed) opening();
    return openAny(name);
  });
  const ledger = new Ledger(['sink'], unknown);
  const file = FollowedFile.open(path, {
    ...{ path, lineage: path, ledger, encoding: 'auto', handles, listings: new Listings(handles) },
  });
  file.letGo();
  appendFileSync(path, 'two\n');
  armed = true;
  return { path, file };
}

test.each([1, 2, 3, 7])('renamed %i times just before it is opened again, it is not gone', async (times) => {
  await using directory = await scratch();
  let generation = 0;
  const { path, file } = closedFile(directory, () => {
    if (generation >= times) return;
    renameSync(generation === 0 ? path : `${path}.${generation}`, `${path}.${generation + 1}`);
    generation++;
    // What has its name now is another, if anything has.
    if (generation === 1 && times > 1) writeFileSync(path, 'three\n');
  });
  using closing = file;
  expect(closing.refresh()).toBe('changed');
  expect(generation).toBe(times);
  expect(closing.account.size).toBe('one\ntwo\n'.length);
  expect(closing.at).toBe(`${path}.${times}`);
});

test('removed just before, it is', async () => {
  await using directory = await scratch();
  const { path, file } = closedFile(directory, () => rmSync(path, { force: true }));
  using closing = file;
  expect(() => closing.refresh()).toThrow(expect.objectContaining({ code: 'ENOENT' }));
});
