// Files that the application writes, followed through rotation.

import { choice, duration, list, ParameterProblem, path, reasonOf, size, text, type Values } from '@outrigger/core';
import { Bounds, type LinkRule, linkRules } from '../tail/bounds.ts';
import { encodings } from '../tail/encodings.ts';
import { Hold, type HoldOptions } from '../tail/hold.ts';
import { OwnFiles } from '../tail/own-files.ts';
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

/** It depends on who can make links there: the node, or an application that is trusted less. */
export const links = (fallback: LinkRule) =>
  choice(linkRules, {
    default: fallback,
    help: 'Which symbolic links are followed: those that stay inside the directory named before the first wildcard, wherever they lead, or none',
  });

type Reading = {
  readonly encoding: (typeof encodings)[number];
  readonly hold?: { readonly directory: string; readonly limit: number };
  readonly about?: (path: string) => Partial<Chunk>;
};

type Followed = Values<typeof following> & { readonly paths: readonly string[]; readonly links: LinkRule };

/** @param about what the source knows of the chunks of a file. */
export async function follow(
  context: SourceContext<Followed>,
  { encoding, about, hold: kept }: Reading,
): Promise<Source> {
  const { parameters, log, stateDirectory, written, lineLimit, holdTimeout } = context;
  const troubles = new Troubles(log);
  const hold = kept && openHold({ ...kept, log });
  const { exclude, links } = parameters;
  const own = new OwnFiles({ stateDirectory, written });
  const limits = { own, links, hold: kept?.directory };
  const paths = new Paths(parameters.paths, { ...limits, troubles, exclude });
  for (const path of paths.leftOut) log.info('File is not followed: the log-shipper writes it itself', { path });
  const tailer = new Tailer({
    ...context,
    troubles,
    paths,
    bounds: new Bounds({ ...limits, patterns: parameters.paths }),
    hold,
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

function openHold(options: HoldOptions): Hold {
  try {
    return new Hold(options);
  } catch (error) {
    throw new ParameterProblem('sourceFileHold', reasonOf(error), { cause: error });
  }
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
    links: links('inside'),
    hold: path({
      optional: true,
      writes: true,
      help: 'Directory on the file system of the files, where each has a second name until it is acknowledged, so that removing it loses nothing',
      example: '/logs/.held',
    }),
    holdLimit: size({ default: '1GiB', help: 'How many bytes may be kept that way after they were removed' }),
  },
  open(context) {
    const { encoding, hold, holdLimit } = context.parameters;
    return follow(context, { encoding, ...(hold !== undefined && { hold: { directory: hold, limit: holdLimit } }) });
  },
});
