// Files that the application writes, followed through rotation.

import { choice, duration, list, text, type Values } from '@outrigger/core';
import { encodings } from '../tail/encodings.ts';
import { Paths, Troubles } from '../tail/paths.ts';
import { readChunks } from '../tail/reader.ts';
import { Tailer } from '../tail/tailer.ts';
import { type Chunk, defineSource, type Source, type SourceContext } from './source.ts';

/** What all that read files have in common. */
export const following = {
  exclude: list(text, {
    default: [],
    help: 'Files not to follow although a wildcard matches them; may hold wildcards',
    example: '/var/log/app/debug*.log',
  }),
  pollInterval: duration({ default: '250ms', min: '10ms', help: 'How often to look whether files have grown' }),
  rotateWait: duration({
    default: '5s',
    help: 'For how long a rotated file must have been quiet before its last line counts as whole without a newline',
  }),
};

type Followed = Values<typeof following> & { readonly paths: readonly string[] };

/** @param about what the source knows of the chunks of a file. */
export async function follow(
  context: SourceContext<Followed>,
  { encoding, about }: { encoding: (typeof encodings)[number]; about?: (path: string) => Partial<Chunk> },
): Promise<Source> {
  const { parameters, log, stateDirectory, lineLimit, holdTimeout } = context;
  const troubles = new Troubles(log);
  const tailer = new Tailer({
    ...context,
    troubles,
    paths: new Paths(parameters.paths, { stateDirectory, troubles, exclude: parameters.exclude }),
    encoding,
    poll: parameters.pollInterval,
    rotateWait: parameters.rotateWait,
  });
  await tailer.start();
  if (tailer.size === 0) log.info('No file is there yet', { paths: parameters.paths });
  // One byte more than a line may have tells a long line from one that has not ended yet; an envelope may double it.
  const window = Math.max((about ? 2 : 1) * lineLimit + 1, 0x40000);
  const options = { tailer, troubles, window, ...(holdTimeout !== undefined && { holdTimeout }) };
  return {
    async *chunks(sink) {
      for await (const chunk of readChunks(sink, options)) yield about ? { ...chunk, ...about(chunk.path) } : chunk;
    },
    get troubles() {
      return troubles.list;
    },
    [Symbol.asyncDispose]: () => tailer[Symbol.asyncDispose](),
  };
}

export const file = defineSource({
  summary: 'Files, followed through rotation by renaming and by copytruncate',
  parameters: {
    paths: list(text, {
      help: 'Files to follow; may hold the wildcards *, **, ?, [] and {}, may not exist yet',
      example: '/var/log/app/*.log',
    }),
    encoding: choice(encodings, {
      default: 'auto',
      help: 'What the files are written in; auto goes by the byte order mark at the beginning, and is UTF-8 without one',
    }),
    ...following,
  },
  open: (context) => follow(context, { encoding: context.parameters.encoding }),
});
