// A file that the application writes. It should be written aside and renamed: one that is read half-written is refused as
// malformed, and shows as a target that is down.

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { addAbortSignal } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Opened, Source } from './source.ts';

export const file: Source = {
  summary: 'A file on a shared volume',
  schemes: ['file'],
  example: 'file:///var/run/app/status.xml',
  check: ({ host, pathname }) => (host === '' && pathname !== '/' ? undefined : 'file:/path/of/the/file is expected'),

  async open({ target, signal }): Promise<Opened> {
    // Opening a pipe without a writer would wait for ever.
    const handle = await open(fileURLToPath(target), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) throw new Error('it is no regular file');
      return { chunks: addAbortSignal(signal, handle.createReadStream()), length: stat.size };
    } catch (error) {
      await handle.close();
      throw error;
    }
  },
};
