// Writes the documents of a role that follow from its declarations. Run in the role's folder.

import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { renderDocuments } from '../src/documents.ts';

const { sidecar } = await import(pathToFileURL(resolve('src/sidecar.ts')).href);
for (const [file, content] of Object.entries(renderDocuments(sidecar, readFileSync('README.md', 'utf8'))))
  writeFileSync(file, content);
