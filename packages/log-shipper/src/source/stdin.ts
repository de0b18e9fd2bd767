// What is piped into this process: `application | log-shipper`. Its end is the end of the application.

import { choice } from '@outrigger/core';
import { LineStream, Unfinished } from './line-stream.ts';
import { definePushSource } from './push.ts';

export const stdin = definePushSource({
  summary: 'Standard input, to its end',
  parameters: {
    whenFull: choice(['wait', 'drop'], {
      default: 'wait',
      help: 'When the disk queue is full: stop reading, which makes the writer wait, or drop and count lines',
    }),
  },

  async open({ parameters: { whenFull }, log, intake }) {
    const ending = new AbortController();
    const input = process.stdin;
    let waits = false;
    const lines = new LineStream({
      intake,
      from: { source: 'stdin' },
      unfinished: new Unfinished(),
      whenFull,
      signal: ending.signal,
      waiting: (begun) => {
        waits = begun;
      },
    });
    const ended = lines.read(input).catch((error: unknown) => {
      // Closed by us, or a terminal that is gone: either way nothing more can come.
      if (!ending.signal.aborted) log.warn('Standard input cannot be read any more', { reason: String(error) });
    });
    return {
      listening: 'standard input',
      ended,
      get troubles() {
        return waits ? [{ path: 'standard input', reason: 'the writer waits for room in the disk queue' }] : [];
      },
      async [Symbol.asyncDispose]() {
        ending.abort();
        input.destroy();
        await ended;
        if (lines.lost > 0)
          log.warn('Lines were received and there was no room for them', { source: 'stdin', bytes: lines.lost });
      },
    };
  },
});
