// The application: writes numbered lines to several files at varying speed and rotates them. A process of its own, so that it
// can be killed and stopped too. `pause` and `resume` on its standard input are answered; it ends with its input.

import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { between, choose, type Random, seeded } from '@outrigger/core/testing';
import { LogFile } from './log-file.ts';

export type ProducerOptions = {
  readonly seed: number;
  readonly limit: number;
  /** What to write to, and how it is rotated. */
  readonly files: readonly {
    readonly path: string;
    readonly rotation: 'rename' | 'copytruncate' | 'either' | 'never';
  }[];
  /** For journals. */
  readonly directory: string;
  /** How many producers were killed before this one. */
  readonly life: number;
  /** Lines per second on average. */
  readonly rate: number;
};

const options = JSON.parse(process.argv[2]!) as ProducerOptions;
const random = seeded(options.seed, options.life, 1);
const files = await Promise.all(
  options.files.map(({ path }, file) => LogFile.open({ path, file, script: options, directory: options.directory })),
);

let paused: PromiseWithResolvers<void> | undefined;
let resting: PromiseWithResolvers<void> | undefined;

const input = createInterface(process.stdin);
input.on('line', (line) => {
  if (line === 'pause') paused ??= Promise.withResolvers();
  else {
    paused?.resolve();
    paused = undefined;
  }
});
input.on('close', () => process.exit());

process.stdout.write('ready\n');
const begun = performance.now();
let written = 0;
for (;;) {
  if (paused) {
    if (resting !== paused) process.stdout.write('paused\n');
    resting = paused;
    await paused.promise;
    process.stdout.write('resumed\n');
  }
  written += await act(random);
  // Faster than on average for a while, then slower.
  const ahead = (written / options.rate) * 1000 - (performance.now() - begun);
  if (ahead > 0 && random() < 0.7) await wait(Math.min(ahead, 500));
}

/** Returns how many lines it has written. */
async function act(random: Random): Promise<number> {
  // The last file is written to seldom.
  const index = random() < 0.02 ? files.length - 1 : between(random, 0, Math.max(0, files.length - 2));
  const file = files[index]!;
  const { rotation } = options.files[index]!;
  const kind = choose(random, { few: 60, some: 20, many: 2, halved: 6, rotate: rotation === 'never' ? 0 : 3 });
  if (kind === 'rotate') {
    const how = rotation === 'either' ? choose(random, { rename: 1, copytruncate: 1 }) : rotation;
    if (how === 'copytruncate') await file.copytruncate();
    else await file.rename(random() < 0.5 ? between(random, 1, 20) : 0);
    return 0;
  }
  const count = between(random, 1, { few: 10, some: 200, many: 3000, halved: 5 }[kind]);
  const pause = between(random, 0, random() < 0.1 ? 700 : 40);
  await file.write(count, kind === 'halved' ? () => wait(pause) : undefined);
  return count;
}
