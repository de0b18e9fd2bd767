// The log-shipper as its image runs it: bundled from the sources as they are now, started with the image's own flags.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type RunningSidecar, type Scratch, scratch, startSidecar } from '@outrigger/core/testing';

const root = fileURLToPath(new URL('../../..', import.meta.url));

export type Workplace = AsyncDisposable & {
  /** A path beside the logs. */
  log(name: string): string;
  /** Starts a shipper that follows `*.log`. */
  ship(args: readonly string[]): Promise<RunningSidecar>;
};

export async function workplace(): Promise<Workplace> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await scratch());
  for (const name of ['logs', 'state']) mkdirSync(directory.join(name));
  const { main, env } = bundle(directory);
  const usual = ['--source-file-paths', directory.join('logs/*.log'), '--state-directory', directory.join('state')];
  const owned = stack.move();
  return {
    log: (name) => directory.join('logs', name),
    ship: (args) => startSidecar(main, [...usual, ...args], { env }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Beside the sources, not in `packages/log-shipper/dist`, which others may be using. */
function bundle(directory: Scratch): { readonly main: string; readonly env: Readonly<Record<string, string>> } {
  symlinkSync(join(root, 'packages/log-shipper/src'), directory.join('src'));
  const script = join(root, 'packages/core/scripts/bundle.ts');
  execFileSync(process.execPath, [script], { cwd: directory.path, timeout: 60_000 });
  const main = directory.join('dist/main.mjs');
  const [interpreter] = readFileSync(main, 'utf8').split('\n', 1);
  const [variables, flags] = interpreter!.replace(/^#!\S+ -S /, '').split(' node ');
  return {
    main: pathToFileURL(main).href,
    env: { ...Object.fromEntries(variables!.split(' ').map((each) => each.split('='))), NODE_OPTIONS: flags! },
  };
}
