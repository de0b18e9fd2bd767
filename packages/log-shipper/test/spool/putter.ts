// Puts numbered lines into a queue for as long as it lives and prints each number that is safe: a process that can be killed,
// on a disk that is full.

import { acknowledge, line, openQueue } from './queue.ts';

const [directory, padding] = process.argv.slice(2);
const spool = await openQueue(directory!, {
  segmentSize: 200_000,
  sync: 'interval',
  tell: (event) => {
    if (event.what === 'trouble') console.log(event.reason === undefined ? 'well' : `trouble ${event.reason}`);
  },
});
const reader = spool.reader('a');
process.on('SIGUSR1', async () => {
  let bytes = 0;
  for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
    chunk.take(chunk.bytes.length);
    acknowledge(chunk);
    chunk.release();
    bytes += chunk.bytes.length;
  }
  console.log(`read ${bytes}`);
});

let id = 0;
async function putter(): Promise<void> {
  for (;;) {
    const mine = ++id;
    while ((await spool.put(Buffer.from(line(mine, { padding: Number(padding) })))) === 'full') await spool.room();
    console.log(`safe ${mine}`);
  }
}
await Promise.all([putter(), putter(), putter()]);
