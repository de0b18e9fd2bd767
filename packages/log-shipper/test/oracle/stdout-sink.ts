// The shipper's own output, as the node's log agent reads it: byte for byte, or as JSON.

import type { Readable } from 'node:stream';
import { type Arrival, type Arrived, arrivedOf, monotonic, type OracleSink } from './sink.ts';

export function stdoutSink(encoding: 'line' | 'json'): OracleSink {
  let arrivals: Arrival[] = [];
  let current: Readable | undefined;
  let paused = false;
  const recordOf = (line: Buffer): Arrived =>
    encoding === 'line' ? { line } : arrivedOf(JSON.parse(line.toString()) as Record<string, unknown>);
  return {
    name: 'stdout',
    args: ['--sink', 'stdout', '--sink-stdout-encoding', encoding],
    faults: ['pauses'],
    async fail() {
      paused = true;
      current?.pause();
    },
    async heal() {
      paused = false;
      current?.resume();
    },
    attach(stdout, run) {
      current = stdout;
      let rest: Buffer = Buffer.alloc(0);
      stdout.on('data', (bytes: Buffer) => {
        const all = Buffer.concat([rest, bytes]);
        const records: Arrived[] = [];
        let start = 0;
        for (let end = all.indexOf(0x0a); end !== -1; end = all.indexOf(0x0a, start)) {
          records.push(recordOf(all.subarray(start, end)));
          start = end + 1;
        }
        // Of a shipper that was killed the last line may be half, and it was not acknowledged.
        rest = all.subarray(start);
        if (records.length > 0) arrivals.push({ run, at: monotonic(), records });
      });
      if (paused) stdout.pause();
    },
    received() {
      const taken = arrivals;
      arrivals = [];
      return taken;
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}
