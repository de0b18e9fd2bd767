// Programs that this Debian does not have, or has too old, from the one after it: unpacked, not installed.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type NewerPrograms = Readonly<Record<'kubectl' | 'kustomize' | 'docker-compose', string>>;

export async function unpackNewerPrograms(directory: string): Promise<NewerPrograms> {
  const packages = '--include=kubectl,kustomize,docker-compose';
  await run('mmdebstrap', ['--quiet', '--variant=extract', packages, 'trixie', directory], {
    timeout: 240_000,
    killSignal: 'SIGKILL',
  });
  return {
    kubectl: join(directory, 'usr/bin/kubectl'),
    kustomize: join(directory, 'usr/bin/kustomize'),
    'docker-compose': join(directory, 'usr/libexec/docker/cli-plugins/docker-compose'),
  };
}
