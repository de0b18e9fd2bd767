// Files that the application writes, followed through rotation.

import { duration, list, text } from '@outrigger/core';
import { Paths, Troubles } from '../tail/paths.ts';
import { readChunks } from '../tail/reader.ts';
import { Tailer } from '../tail/tailer.ts';
import { defineSource } from './source.ts';

export const file = defineSource({
  summary: 'Files, followed through rotation by renaming and by copytruncate',
  parameters: {
    paths: list(text, {
      help: 'Files to follow; may hold the wildcards *, **, ?, [] and {}, may not exist yet',
      example: '/var/log/app/*.log',
    }),
    pollInterval: duration({ default: '250ms', min: '10ms', help: 'How often to look whether files have grown' }),
    rotateWait: duration({
      default: '5s',
      help: 'For how long a rotated file must have been quiet before its last line counts as whole without a newline',
    }),
  },

  async open(context) {
    const { parameters, log, stateDirectory } = context;
    const troubles = new Troubles(log);
    const tailer = new Tailer({
      ...context,
      troubles,
      paths: new Paths(parameters.paths, { stateDirectory, troubles }),
      poll: parameters.pollInterval,
      rotateWait: parameters.rotateWait,
    });
    await tailer.start();
    if (tailer.size === 0) log.info('No file is there yet', { paths: parameters.paths });
    // One byte more than a line may have tells a long line from one that has not ended yet.
    const window = Math.max(context.lineLimit + 1, 0x40000);
    return {
      chunks: (sink) => readChunks(sink, { tailer, troubles, window }),
      get troubles() {
        return troubles.list;
      },
      [Symbol.asyncDispose]: () => tailer[Symbol.asyncDispose](),
    };
  },
});
