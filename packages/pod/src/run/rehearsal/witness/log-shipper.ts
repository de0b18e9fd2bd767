// The log-shipper's ledger: what was logged and no receiver has acknowledged.

import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from '@outrigger/core/schema';
import { defineWitness, getJson, getText, growth, samplesOf } from './witness.ts';

/** By sink, how far each has come. */
const files = <T extends z.ZodMiniType>(sink: T) =>
  z.array(
    z.object({
      path: z.string(),
      device: z.string(),
      inode: z.string(),
      size: z.int(),
      sinks: z.record(z.string(), sink),
    }),
  );

const ledger = z.object({
  files: files(z.object({ acknowledged: z.int() })),
  sinks: z.array(z.object({ name: z.string(), reason: z.optional(z.string()), dead: z.int() })),
  queue: z.optional(z.object({ sinks: z.record(z.string(), z.object({ unread: z.int(), buffered: z.int() })) })),
  checkpoint: z.object({ path: z.string() }),
});

/** The file that `checkpoint.path` names. */
const positions = z.object({ files: files(z.object({ offset: z.int() })) });

type Left = {
  readonly path: string;
  readonly from: number;
  readonly to: number;
  /** It is still what lies at its path. */
  readonly there: boolean;
};

export const logShipper = defineWitness({
  async look(client) {
    const metrics = await getText(client, '/metrics');
    return {
      ledger: ledger.parse(await getJson(client, '/v1/ledger')),
      gone: samplesOf(metrics, 'outrigger_log_shipper_lost_bytes_total'),
    };
  },

  async lost({ before, last }, { exit, place }) {
    const { files, sinks, queue, checkpoint } = last.ledger;
    const written = await positionsIn(checkpoint.path);
    const stateGoes = place.goes(dirname(checkpoint.path));
    const losses = [];
    for (const { name, reason, dead } of sinks) {
      const why = reason === undefined ? '' : `: ${reason}`;
      // What it wrote down after its last answer counts, and so does what it answered and could not write down any more.
      const all = [...files.map((file) => placeOf(file, file.sinks[name]?.acknowledged)), ...written(name)];
      for (const left of await leftOf(all)) {
        if (!place.goes(left.path)) continue;
        const text = `of ${place.inside(left.path)} not delivered to ${name}${why}`;
        losses.push({ unit: 'bytes', count: left.to - left.from, text: `${await linesIn(left)}${text}` });
      }
      const queued = queue?.sinks[name];
      // With exit code 0 it has delivered all of it.
      if (stateGoes && queued && exit?.code !== 0 && queued.unread + queued.buffered > 0)
        losses.push({
          unit: 'bytes',
          count: queued.unread + queued.buffered,
          text: `of its queue not delivered to ${name}${why}`,
        });
      if (stateGoes && dead > 0)
        losses.push({
          unit: 'bytes',
          count: dead,
          text: `refused by ${name}: dead letters, in a volume that goes with the Pod`,
        });
    }
    const gone = growth(before.gone, last.gone);
    if (gone > 0) losses.push({ unit: 'bytes', count: gone, text: 'gone before they could be read' });
    return losses;
  },
});

type Known = {
  readonly path: string;
  readonly device: string;
  readonly inode: string;
  readonly size: number;
  readonly from: number;
};

const placeOf = ({ path, device, inode, size }: Omit<Known, 'from'>, from = 0): Known => ({
  ...{ path, device, inode, size },
  from,
});

async function positionsIn(path: string): Promise<(sink: string) => Known[]> {
  const text = await readFile(path, 'utf8').catch(absent);
  const { files } = text === undefined ? { files: [] } : positions.parse(JSON.parse(text));
  return (sink) => files.map((file) => placeOf(file, file.sinks[sink]?.offset));
}

/** Of each file what nobody has acknowledged, as far as it has grown by now. */
async function leftOf(all: readonly Known[]): Promise<Left[]> {
  const files = Map.groupBy(all, ({ device, inode }) => `${device}:${inode}`);
  const left = await Promise.all(
    [...files.values()].map(async (known) => {
      const { path, device, inode } = known.at(-1)!;
      const now = await stat(path, { bigint: true }).catch(absent);
      const there = now !== undefined && String(now.dev) === device && String(now.ino) === inode;
      const to = there ? Number(now.size) : Math.max(...known.map(({ size }) => size));
      return { path, from: Math.max(...known.map(({ from }) => from)), to, there };
    }),
  );
  return left.filter(({ from, to }) => to > from);
}

async function linesIn({ path, from, to, there }: Left): Promise<string> {
  // It was rotated away: its lines cannot be counted any more.
  if (!there) return '';
  let lines = 0;
  let last = 10;
  for await (const chunk of createReadStream(path, { start: from, end: to - 1 }) as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++;
    last = chunk.at(-1)!;
  }
  const count = lines + (last === 10 ? 0 : 1);
  return `(${count} ${count === 1 ? 'line' : 'lines'}) `;
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
