import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { contract } from '@outrigger/core/testing';
import { argumentsFor, main } from './shipper.ts';

contract(main, async (directory) => {
  await mkdir(join(directory, 'logs'));
  await mkdir(join(directory, 'state'));
  return argumentsFor(directory);
});
