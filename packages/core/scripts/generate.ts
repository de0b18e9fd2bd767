// Writes the documents of a role that follow from its declarations. Run in the role's folder. Refuses to overwrite a
// description of the API that others rely on with one that breaks its promises.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { incompatibilities, renderDocuments } from '../src/documents.ts';

const api = 'openapi.json';

const { sidecar } = await import(pathToFileURL(resolve('src/sidecar.ts')).href);
const documents = renderDocuments(sidecar, readFileSync('README.md', 'utf8'));
const parse = (text: string | undefined) => JSON.parse(text ?? '{}');
const broken = existsSync(api) ? incompatibilities(parse(readFileSync(api, 'utf8')), parse(documents[api])) : [];
if (broken.length > 0) {
  process.stderr.write(`${sidecar.name}: the API may not change like this within a version\n`);
  for (const each of broken) process.stderr.write(`  ${each}\n`);
  process.exit(1);
}
for (const [file, content] of Object.entries(documents)) writeFileSync(file, content);
