// Whatever happens to what is watched, in whatever order: the last thing reported is what is there in the end.

import { existsSync } from 'node:fs';
import { appendFile, mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import * as fc from 'fast-check';
import { test } from 'vitest';
import { wait } from '../../src/every.ts';
import { makeVolume, type Scratch, scratch, type Volume } from '../../src/testing/index.ts';
import { watched } from './open.ts';

type World = { readonly dir: Scratch; readonly volume: Volume };
type Operation = (world: World) => Promise<unknown>;

const content = fc.stringMatching(/^[a-c]{0,3}$/);
const name = fc.constantFrom('a', 'b', '.hidden', 'sub/c', 'sub/deep/d');
const ignore = () => undefined;

const place = async (dir: Scratch, below: string) => {
  await mkdir(dir.join('plain', below, '..'), { recursive: true }).catch(ignore);
  return dir.join('plain', below);
};

const operations: Record<string, fc.Arbitrary<Operation>> = {
  write: fc
    .tuple(name, content)
    .map(([at, text]) => shown(`write ${at} "${text}"`, async ({ dir }) => writeFile(await place(dir, at), text))),
  inPieces: fc.tuple(name, content, content).map(([at, one, two]) =>
    shown(`write ${at} in pieces "${one}" "${two}"`, async ({ dir }) => {
      const path = await place(dir, at);
      await writeFile(path, '');
      await truncate(path);
      await appendFile(path, one);
      await wait(1);
      await appendFile(path, two);
    }),
  ),
  renameOver: fc.tuple(name, content).map(([at, text]) =>
    shown(`rename over ${at} "${text}"`, async ({ dir }) => {
      const path = await place(dir, at);
      await writeFile(`${path}.tmp`, text);
      await rename(`${path}.tmp`, path);
    }),
  ),
  remove: name.map((at) =>
    shown(`remove ${at}`, ({ dir }) => rm(dir.join('plain', at), { force: true, recursive: true })),
  ),
  removeAll: fc.constant(shown('remove all', ({ dir }) => rm(dir.join('plain'), { recursive: true, force: true }))),
  moveAway: fc.constant(
    shown('move away', async ({ dir }) => {
      await rm(dir.join('old'), { recursive: true, force: true });
      await rename(dir.join('plain'), dir.join('old')).catch(ignore);
    }),
  ),
  moveBack: fc.constant(
    shown('move back', async ({ dir }) => {
      await rm(dir.join('plain'), { recursive: true, force: true });
      await rename(dir.join('old'), dir.join('plain')).catch(ignore);
    }),
  ),
  swap: fc
    .tuple(content, fc.boolean())
    .map(([key, keepOld]) =>
      shown(`swap "${key}" ${keepOld ? 'keeping the old' : ''}`, ({ volume }) =>
        volume.swap({ key, [`k${key}`]: key }, { keepOld }),
      ),
    ),
  relink: fc
    .constantFrom('plain/a', 'plain/sub/c', 'volume/key', 'link', 'nowhere')
    .map((target) => shown(`link to ${target}`, ({ dir }) => relink(dir, target))),
  pause: fc.integer({ min: 0, max: 8 }).map((milliseconds) => shown(`wait ${milliseconds}`, () => wait(milliseconds))),
};

async function relink(dir: Scratch, target: string): Promise<void> {
  await symlink(target, dir.join('fresh'));
  await rename(dir.join('fresh'), dir.join('link'));
}

/** Prints itself in a counterexample. */
function shown(text: string, operation: Operation): Operation {
  return Object.assign(operation, { [fc.toStringMethod]: () => text });
}

test('any sequence of operations ends with the final content reported', async () => {
  const sequences = fc.array(fc.oneof(...Object.values(operations)), { minLength: 1, maxLength: 15 });
  await fc.assert(
    fc.asyncProperty(sequences, fc.constantFrom(0, 3), async (sequence, settle) => {
      await using dir = await scratch();
      await mkdir(dir.join('plain'));
      await writeFile(dir.join('plain/a'), 'start');
      await symlink('plain/a', dir.join('link'));
      const volume = await makeVolume(dir.join('volume'), { key: 'start' });
      await using watcher = await watched([dir.join('plain'), dir.join('link'), volume.path], { settle });
      for (const operation of sequence) await operation({ dir, volume });
      // A path that is missing keeps what it held, which a new watcher could not know. Nothing else is touched: one more
      // event would hide that one before it was lost.
      if (!existsSync(dir.join('plain'))) await mkdir(dir.join('plain'));
      if (!existsSync(dir.join('link'))) await relink(dir, 'volume/key');
      await watcher.settled();
    }),
    { numRuns: 150 },
  );
}, 120_000);
