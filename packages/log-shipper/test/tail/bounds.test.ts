import { spawn } from 'node:child_process';
import { closeSync, readFileSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scratch } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { Bounds } from '../../src/tail/bounds.ts';
import { OwnFiles } from '../../src/tail/own-files.ts';

const own = new OwnFiles({ stateDirectory: '/nowhere' });

const flip = `
  const { symlinkSync, renameSync } = require('node:fs');
  for (;;) for (const target of ['inside.log', '../outside.log']) {
    symlinkSync(target, 'next');
    renameSync('next', 'app.log');
  }
`;

test('however quickly a link is swapped, nothing is read of what lies outside', async () => {
  await using directory = await scratch();
  await mkdir(directory.join('logs'));
  await writeFile(directory.join('outside.log'), 'outside');
  await writeFile(directory.join('logs/inside.log'), 'inside');
  await symlink('inside.log', directory.join('logs/app.log'));
  const path = directory.join('logs/app.log');
  const bounds = new Bounds({ links: 'inside', own, patterns: [path] });
  const flipping = spawn(process.execPath, ['-e', flip], { cwd: directory.join('logs'), stdio: 'inherit' });
  const seen = { inside: 0, refused: 0 };
  const end = performance.now() + 20_000;
  while ((seen.inside < 1000 || seen.refused < 1000) && performance.now() < end) {
    try {
      const handle = bounds.open(path, path);
      expect(readFileSync(handle, 'utf8')).toBe('inside');
      closeSync(handle);
      seen.inside++;
    } catch (error) {
      expect(error).toMatchObject({ code: 'LOG_SHIPPER_FILE_REFUSED' });
      seen.refused++;
    }
  }
  const ended = Promise.withResolvers<void>();
  flipping.once('exit', () => ended.resolve());
  flipping.kill('SIGKILL');
  await ended.promise;
  expect(Math.min(seen.inside, seen.refused)).toBeGreaterThanOrEqual(1000);
});

// By the pattern: what may be read of a link logs/a/b/app.log to another directory.
test.each([
  ['a/b/*.log', 'a/b-c/target', false],
  ['a/b/*.log', 'a/b/c/target', true],
  ['a/*/*.log', 'a/target', true],
  ['a/{b,c}/app.log', 'a/c/target', true],
  ['a/@(b|c)/app.log', 'a/c/target', true],
  ['**/*.log', 'target', true],
  ['**/*.log', '../target', false],
])('%s, and a link to %s: %s', async (pattern, target, allowed) => {
  await using directory = await scratch();
  const path = directory.join('logs/a/b/app.log');
  const real = directory.join('logs', target);
  for (const each of [path, real]) await mkdir(join(each, '..'), { recursive: true });
  await writeFile(real, 'x');
  await symlink(real, path);
  const bounds = new Bounds({ links: 'inside', own, patterns: [directory.join('logs', pattern)] });
  const open = () => closeSync(bounds.open(path, path));
  if (allowed) open();
  else expect(open).toThrow(`it leads to "${real}"`);
});
