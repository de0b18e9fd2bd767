// A reader that comes back after its files were closed, as a process of its own: one that spins cannot be timed from inside.

import { readChunks } from '../../src/tail/reader.ts';
import { finish, follow } from './follow.ts';

const { tailer, troubles, stop } = follow({ paths: [process.argv[2]!] });
await tailer.start();
const chunks = readChunks('sink', { tailer, troubles, window: 1024 })[Symbol.asyncIterator]();
const { value } = await chunks.next();
stop();
await tailer[Symbol.asyncDispose]();
finish(value!);
await chunks.next();
process.stdout.write('ended\n', () => process.exit());
