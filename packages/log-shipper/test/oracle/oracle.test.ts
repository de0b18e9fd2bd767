import { seeded } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { consult, patience } from './oracle.ts';
import { forwardSink, httpSink } from './receiver-process.ts';
import { stdoutSink } from './stdout-sink.ts';

const seconds = Number(process.env.ORACLE_SECONDS ?? 30);

test(`${seconds} seconds in which everything fails lose no line, repeat no more than was in flight, and the ledger is true`, {
  timeout: seconds * 1000 + patience + 60_000,
}, async () => {
  const sinks = async (directory: string, seed: number) => [
    await forwardSink(`${directory}/forward`),
    await httpSink(`${directory}/http`),
    stdoutSink(seeded(seed)() < 0.5 ? 'line' : 'json'),
  ];
  const { wrongs, counts } = await consult({ seconds, sinks, rate: 1500 });
  expect(wrongs).toEqual([]);
  // A short one need not come to everything.
  for (const what of seconds < 30
    ? []
    : ['shipper is killed', 'shipper is stopped', 'shipper is told to end', 'producer is killed', 'audit'])
    expect({ what, count: counts[what] ?? 0 }).not.toEqual({ what, count: 0 });
});
