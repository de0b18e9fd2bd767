// The container's own output, where the node's log agent reads. Acknowledged when the kernel has taken it.

import { createWriteStream, fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { choice, reasonOf } from '@outrigger/core';
import { json } from '../encoding/json.ts';
import { line } from '../encoding/line.ts';
import { defineSink, delivered, type Verdict } from './sink.ts';

export const stdout = defineSink({
  summary: 'Standard output, one line per record',
  parameters: {
    encoding: choice(['line', 'json'], {
      default: 'line',
      help: 'The lines as they were, or a JSON object per record with all its fields',
    }),
  },

  open({ encoding }) {
    const stream = openStdout();
    let broken: string | undefined;
    // Without a listener a closed pipe would end the process with a stack trace.
    stream.on('error', (error) => {
      broken = reasonOf(error);
    });
    return {
      encoding: encodings[encoding],
      local: true,
      write: ({ bytes }) =>
        new Promise<Verdict>((resolve) => {
          if (broken !== undefined) return resolve({ became: 'broken', reason: broken });
          stream.write(bytes, (error) => resolve(error ? { became: 'broken', reason: reasonOf(error) } : delivered));
        }),
    };
  },
});

const encodings = { line, json };

/** process.stdout writes to pipes synchronously: a reader that pauses would stop the probes, the API and every other sink. */
function openStdout(): Writable {
  const { fd } = process.stdout;
  const kind = fstatSync(fd);
  if (isatty(fd)) return process.stdout;
  if (kind.isFIFO() || kind.isSocket()) return new Socket({ fd, readable: false, writable: true });
  return createWriteStream('', { fd, autoClose: false });
}
