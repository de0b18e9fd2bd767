// The least that each role of the toolkit needs to run, as flags and command of `outrigger conformance`.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeCertificate } from '@outrigger/core/testing';
import { makeRemote } from '../../../git-sync/test/support/remote.ts';
import { programOf, type Role } from '../../src/manifest/toolkit.ts';

type Subject = { readonly flags: readonly string[]; readonly args: readonly string[] };

/** Each writes what it needs into the directory. Peers are absent: no sidecar waits for its application. */
const subjects: Readonly<Record<Role, (directory: string) => Promise<Subject>>> = {
  monitor: async () => ({ flags: [], args: ['--sidecars', 'nobody=http://127.0.0.1:9'] }),

  async proxy(directory) {
    const { certificateFile, keyFile } = await writeCertificate(directory);
    return {
      flags: [
        `--file=tls.crt=${certificateFile}`,
        `--file=tls.key=${keyFile}`,
        '--traffic=https://127.0.0.1:{port:https}/',
      ],
      args: [
        '--listen-address=127.0.0.1:{port:https}',
        '--tls-certificate-file={scratch}/tls.crt',
        '--tls-key-file={scratch}/tls.key',
        '--upstream=http://127.0.0.1:{port:nobody}',
      ],
    };
  },

  async 'log-shipper'(directory) {
    await mkdir(join(directory, 'logs'));
    await writeFile(join(directory, 'logs/app.log'), 'a line\n');
    return {
      flags: [`--file=logs=${join(directory, 'logs')}`],
      args: ['--source-file-paths={scratch}/logs/*.log', '--state-directory={state}'],
    };
  },

  async adapter(directory) {
    const rules = join(directory, 'rules.yaml');
    await writeFile(rules, 'rules:\n  - { metric: depth, type: gauge, help: Depth, path: /status/@depth }\n');
    return {
      flags: [`--file=rules.yaml=${rules}`],
      args: ['--target=http://127.0.0.1:{port:nobody}/status.xml', '--rules-file={scratch}/rules.yaml'],
    };
  },

  async 'git-sync'(directory) {
    const remote = await makeRemote(directory);
    await remote.push({ 'index.html': 'hello\n' });
    return {
      flags: [`--file=site.git=${remote.path}`],
      args: ['--repo=file://{scratch}/site.git', '--root={state}/root', '--period=1s'],
    };
  },

  async 'config-reloader'(directory) {
    await mkdir(join(directory, 'watched'));
    return {
      flags: [`--file=watched=${join(directory, 'watched')}`],
      args: ['--watch={scratch}/watched', '--notify=http', '--notify-http-url=http://127.0.0.1:{port:nobody}/-/reload'],
    };
  },
};

/** Arguments of `outrigger`. */
export async function conformanceOf(role: Role, directory: string, flags: readonly string[] = []): Promise<string[]> {
  const subject = await subjects[role](directory);
  return ['conformance', ...flags, ...subject.flags, '--', process.execPath, programOf(role), ...subject.args];
}
