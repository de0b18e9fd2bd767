// `podman run ...` and `docker run ...`: what a rule wants of the surroundings becomes flags of the engine.

import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { Skip } from './rule.ts';
import type { Surroundings } from './surroundings.ts';

export type Engine = {
  /** The command with flags after `run`: the host's network, the scratch directory at its own path, the environment. */
  wrap(command: readonly string[], wanted: Wanted): string[];
  /** Ends the containers of a rule. Killing the engine's client does not. */
  remove(scratch: string): Promise<void>;
};

type Wanted = {
  readonly env: Readonly<Record<string, string>>;
  readonly scratch: string;
  readonly inside: Surroundings | undefined;
};

/** undefined for a command that starts no container. */
export function engineOf([program = '', ...args]: readonly string[]): Engine | undefined {
  const at = args.indexOf('run') + 1;
  if (!['podman', 'docker', 'nerdctl'].includes(basename(program)) || at === 0) return undefined;
  let started = 0;
  return {
    wrap([file = '', ...words], { env, scratch, inside }) {
      if (inside && !inside.engine) throw new Skip(`${basename(program)} has no flag that makes this`);
      const flags = [
        '--rm',
        '--network=host',
        `--name=${nameOf(scratch)}-${++started}`,
        `--volume=${scratch}:${scratch}`,
        ...Object.entries(env).map(([name, value]) => `--env=${name}=${value}`),
        ...(inside?.engine ?? []),
      ];
      return [file, ...words.slice(0, at), ...flags, ...words.slice(at)];
    },
    remove(scratch) {
      const names = Array.from({ length: started }, (_, index) => `${nameOf(scratch)}-${index + 1}`);
      if (names.length === 0) return Promise.resolve();
      // Those that have ended are gone already, which is no error of ours.
      return new Promise((resolve) => {
        execFile(program, ['rm', '--force', ...names], { timeout: 30_000 }, () => resolve());
      });
    },
  };
}

const nameOf = (scratch: string) => basename(scratch).toLowerCase();
