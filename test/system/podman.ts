// podman with the settings of these tests, each call with a deadline.

import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** For programs that call podman themselves. */
export const engineEnvironment = {
  ...process.env,
  CONTAINERS_CONF: fileURLToPath(new URL('containers.conf', import.meta.url)),
};

/** Its output. Rejects with what it said when it fails or takes longer than a minute. */
export async function podman(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('podman', args, {
    env: engineEnvironment,
    // Its monitor leaves a file `oom` in the directory it was started in, when a container runs out of memory.
    cwd: tmpdir(),
    timeout: 60_000,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 24,
  });
  return stdout.trimEnd();
}

/** The same, for what may fail: exit code and all it said. */
export async function tryPodman(...args: readonly string[]): Promise<{ code: number; output: string }> {
  try {
    return { code: 0, output: await podman(...args) };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== 'number') throw error;
    return { code, output: `${stdout}${stderr}` };
  }
}
