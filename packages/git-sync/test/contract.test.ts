import { join } from 'node:path';
import { contract } from '@outrigger/core/testing';
import { makeRemote } from './support/remote.ts';

contract(import.meta.resolve('../src/main.ts'), async (directory) => {
  const remote = await makeRemote(directory);
  await remote.push({ 'index.html': 'hello\n' });
  return ['--repo', remote.url, '--root', join(directory, 'root'), '--period', '100ms'];
});
