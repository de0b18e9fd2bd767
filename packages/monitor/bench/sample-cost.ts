// CPU time of one sample of 50 processes, a sixth of them with the memory of a Node.js program, as it is when samples
// follow each other and when the processor has forgotten us in between.

import { spawn } from 'node:child_process';
import { wait } from '@outrigger/core';
import { until } from '@outrigger/core/testing';
import { Attribution } from '../src/attribute.ts';
import { Sampler } from '../src/sample.ts';

const count = 50;
process.env.OUTRIGGER_POD_ID = `bench-${process.pid}`;

const children = Array.from({ length: count }, (_, index) => {
  const env = { ...process.env, OUTRIGGER_CONTAINER: `container-${index % 7}` };
  const [program, args] =
    index % 6 === 0 ? [process.execPath, ['--eval', 'setTimeout(() => {}, 120000)']] : ['sleep', ['120']];
  return spawn(program as string, args as string[], { env, stdio: 'ignore' });
});

try {
  const sampler = new Sampler();
  const attribution = new Attribution({ showArguments: false });
  const sample = async () => {
    const before = process.cpuUsage();
    const { processes } = attribution.next(await sampler.take());
    const { user, system } = process.cpuUsage(before);
    return { processes: processes.length, milliseconds: (user + system) / 1000 };
  };
  const first = await sample();
  await until(async () => (await sample()).processes === count, { what: `${count} processes` });
  const row = async (name: string, samples: number, pause: number) => {
    const all: number[] = [];
    for (let index = 0; index < samples; index++) {
      if (pause > 0) await wait(pause);
      all.push((await sample()).milliseconds);
    }
    all.sort((a, b) => a - b);
    const at = (share: number) => Number(all[Math.floor(share * (all.length - 1))]!.toFixed(2));
    return { samples: name, 'least ms': at(0), 'median ms': at(0.5), 'p95 ms': at(0.95) };
  };
  console.table([
    { samples: 'the first', 'least ms': Number(first.milliseconds.toFixed(2)) },
    await row('one after the other', 200, 0),
    await row('one a second', 20, 1000),
  ]);
} finally {
  for (const child of children) child.kill('SIGKILL');
}
