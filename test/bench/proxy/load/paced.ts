// A fixed number of requests per second, however long the answers take: see paced-clients.ts.

import { join } from 'node:path';
import { type Command, launch, outputOf, untilReady } from '../machine.ts';
import { type Latency, type Load, ready, type Span } from './load.ts';
import type { Pace, Paced } from './paced-clients.ts';

export function paced(rate: number): Load {
  return async ({ port, secure }, span) => {
    const pace: Pace = { port, secure, rate, ...span };
    const command: Command = [process.execPath, join(import.meta.dirname, 'paced-clients.ts'), JSON.stringify(pace)];
    const clients = await launch('load', command);
    await untilReady(clients, command);
    return { over: outputOf(clients, command).then((output) => latencyOf(output, rate, span)) };
  };
}

function latencyOf(output: string, rate: number, { counted }: Span): Latency {
  const { p50, p99, answers } = JSON.parse(output.slice(ready.length)) as Paced;
  // The pace itself must not have suffered.
  if (Math.abs(answers / (rate * counted) - 1) > 0.05)
    throw new Error(`Of ${rate} requests per second during ${counted} s, ${answers} were answered`);
  return { p50, p99 };
}
