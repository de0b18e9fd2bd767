import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contract } from '@outrigger/core/testing';

contract(import.meta.resolve('../src/main.ts'), async (directory) => {
  const rules = join(directory, 'rules.yaml');
  await writeFile(rules, 'rules:\n  - { metric: depth, type: gauge, help: Depth, path: /status/@depth }\n');
  // Nobody is there: a sidecar does not wait for its application.
  return ['--target', 'http://127.0.0.1:1/status.xml', '--rules-file', rules];
});
