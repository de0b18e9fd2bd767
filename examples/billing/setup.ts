// Makes what the demo needs and nobody should have to make by hand: certificates and a git repository.
// What is there already stays, so that it may run again. Environment: TLS_DIRECTORY, REPOSITORY

import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeCertificates } from './setup/certificates.ts';
import { makeRepository } from './setup/repository.ts';

const { TLS_DIRECTORY: tls, REPOSITORY: repository } = process.env;
if (!tls || !repository) {
  process.stderr.write('setup: TLS_DIRECTORY and REPOSITORY are expected in the environment\n');
  process.exit(64);
}

// The key is written last: once it is there, so is what belongs to it.
if (!existsSync(join(tls, 'tls.key'))) {
  const { authority, certificate, key } = await makeCertificates();
  await writeWhole(join(tls, 'ca.crt'), authority, 0o644);
  await writeWhole(join(tls, 'tls.crt'), certificate, 0o644);
  await writeWhole(join(tls, 'tls.key'), key, 0o600);
}

makeRepository(repository, {
  branch: 'main',
  file: 'prices.json',
  content: `${JSON.stringify({ hourly: 90, daily: 680 }, null, 2)}\n`,
  message: 'Prices of this year',
});

async function writeWhole(file: string, content: string, mode: number): Promise<void> {
  await writeFile(`${file}.unfinished`, content, { mode });
  await rename(`${file}.unfinished`, file);
}
