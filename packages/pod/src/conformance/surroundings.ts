// What a container gives to a program, made by util-linux: namespaces, users, mounts. As root directly, otherwise in a user
// namespace of its own. What this machine does not allow is a reason to skip, never to fail.

import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { Skip } from './rule.ts';

export type Surroundings = {
  /** Words that stand before the command; the last of them runs it. Rejects with Skip where they cannot be had. */
  before(): Promise<readonly string[]>;
  /** The first word stays and the program is its child. */
  readonly forks?: boolean;
  /** The same, as flags of `podman run` and `docker run`; absent where they have none. */
  readonly engine?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};

const isRoot = process.getuid?.() === 0;

/** `unshare` with these namespaces. */
function unshare(...flags: string[]): string[][] {
  const asUser = ['unshare', '--user', '--map-root-user', ...flags, '--'];
  return isRoot ? [['unshare', ...flags, '--'], asUser] : [asUser];
}

/** Process 1 of its own pid namespace: the kernel drops signals that it does not handle. */
export const asProcessOne: Surroundings = {
  before: () =>
    firstThatWorks('A pid namespace', [
      ...unshare('--pid', '--fork', '--kill-child', '--mount-proc'),
      ...unshare('--pid', '--fork', '--kill-child'),
    ]),
  forks: true,
  engine: [],
};

const uid = '54321';

/** A user whom nobody knows, without a home: `runAsUser` of any number, as OpenShift chooses it. */
export const asUnknownUser: Surroundings = {
  before: () =>
    firstThatWorks('A user namespace', [['unshare', '--user', `--map-user=${uid}`, `--map-group=${uid}`, '--']]),
  engine: [`--user=${uid}:${uid}`],
  env: { HOME: '/nonexistent' },
};

/** `capabilities: { drop: [ALL] }` and `allowPrivilegeEscalation: false`. */
export const withoutCapabilities: Surroundings = {
  before() {
    const drop = ['setpriv', '--no-new-privs', '--inh-caps=-all', '--bounding-set=-all', '--'];
    const asUser = ['unshare', '--user', '--map-root-user', '--', ...drop];
    return firstThatWorks('A process without capabilities', isRoot ? [drop, asUser] : [asUser]);
  },
  engine: ['--cap-drop=ALL', '--security-opt=no-new-privileges'],
};

// Each mount is made read-only with the options that it has: in a user namespace they may not be loosened.
const readOnlyScript = `
mount --bind /tmp /tmp && mount --bind "$1" "$1" || exit
cat /proc/self/mountinfo | while read -r _ _ _ _ at options _; do
  at=$(printf %b "$at")
  case "$at" in "$1" | /tmp | /proc | /proc/* | /sys | /sys/* | /dev | /dev/*) continue ;; esac
  mount -o "remount,bind,ro\${options#r[ow]}" "$at" || [ "$at" != / ] || exit
done || exit
shift
exec "$@"`;

/** `readOnlyRootFilesystem: true` with /tmp and the scratch directory as volumes. */
export const withReadOnlyRoot = (scratch: string): Surroundings => ({
  before: () => mounting('A read-only root file system', readOnlyScript, scratch),
  engine: ['--read-only', '--tmpfs=/tmp'],
  env: { TMPDIR: '/tmp' },
});

const fullDiskScript = `
mount -t tmpfs -o size=64k,mode=1777 none "$1" || exit
cat /dev/zero >"$1/ballast" 2>/dev/null
shift
exec "$@"`;

/** A volume on which nothing is free. */
export const withFullDisk = (directory: string): Surroundings => ({
  before: () => mounting('A small file system', fullDiskScript, directory),
});

/** Words that run a script in a mount namespace, on a directory; whether that works is tried on another one. */
async function mounting(what: string, script: string, directory: string): Promise<string[]> {
  const run = ['sh', '-c', script, 'sh'];
  const tried = await firstThatWorks(
    what,
    unshare('--mount').map((words) => [...words, ...run, tmpdir()]),
  );
  return [...tried.slice(0, -1), directory];
}

/** A network in which there is nobody else. */
export const withoutNetwork: Surroundings = {
  before: () =>
    firstThatWorks(
      'A network namespace',
      unshare('--net').map((words) => [...words, 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']),
    ),
};

/** No descriptor 0 at all. */
export const withoutStdin: Surroundings = { before: async () => ['sh', '-c', 'exec "$@" <&-', 'sh'] };

const tried = new Map<string, Promise<string | undefined>>();

async function firstThatWorks(what: string, variants: readonly string[][]): Promise<string[]> {
  const reasons = new Set<string>();
  for (const words of variants) {
    const key = words.join('\0');
    if (!tried.has(key)) tried.set(key, refusalOf(words));
    const reason = await tried.get(key);
    if (reason === undefined) return words;
    reasons.add(reason);
  }
  throw new Skip(`${what} cannot be made here: ${[...reasons].join('; ')}`);
}

/** Why the words cannot run a program, or undefined. */
function refusalOf([file, ...args]: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(file!, [...args, 'true'], { timeout: 5_000 }, (error, _, stderr) => {
      if (!error) return resolve(undefined);
      if (error.code === 'ENOENT') return resolve(`${file} is not on this machine`);
      resolve(stderr.trim().split('\n').at(-1) || error.message);
    });
  });
}
