import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { contract } from '@outrigger/core/testing';

contract(import.meta.resolve('../src/main.ts'), async (directory) => {
  await mkdir(join(directory, 'config'));
  return ['--watch', join(directory, 'config'), '--notify', 'http', '--notify-http-url', 'http://127.0.0.1:9/-/reload'];
});
