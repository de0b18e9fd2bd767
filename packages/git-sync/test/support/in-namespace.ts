// The sidecar with a file system of its own mounted on a directory: a full disk and a read-only one need no root.

import { execFileSync, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { main } from './start-sync.ts';

/** Whether this machine lets anybody mount. */
export const canMount = (() => {
  try {
    execFileSync('unshare', ['--map-root-user', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
})();

export type Mounted = AsyncDisposable & {
  readonly stderr: string;
  /** How the sidecar's view of a path is reached from outside. */
  inside(path: string): string;
  readonly exited: Promise<number | null>;
};

/** @param options of the tmpfs, such as `size=2m`. */
export function startMounted(directory: string, options: string, args: readonly string[]): Mounted {
  const script = 'mount -t tmpfs -o "$1" tmpfs "$2" && shift 2 && exec "$@"';
  const command = [process.execPath, fileURLToPath(main), '--admin-address', '127.0.0.1:0', ...args];
  const child = spawn(
    'unshare',
    ['--map-root-user', '--mount', 'sh', '-c', script, 'sh', options, directory, ...command],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    get stderr() {
      return stderr;
    },
    exited,
    inside: (path) => `/proc/${child.pid}/root${path}`,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
