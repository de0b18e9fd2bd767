// A source that is pushed to with a real disk queue behind it, in this process or in one that can be killed.

import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Peer, type PeerOptions, scratch, startPeer, until } from '@outrigger/core/testing';
import { Intake, type Settle } from '../../src/intake.ts';
import { parseObject } from '../../src/records.ts';
import type { PushMember } from '../../src/source/push.ts';
import { Spool, type SpoolOptions } from '../../src/spool/spool.ts';
import { silent } from '../silent.ts';

/** A record that holds it breaks the pipeline. */
export const breaking = 'breaks the pipeline';

/** As the pipeline does it, without parsing. */
export const settle: Settle = (records) =>
  Buffer.from(
    Array.from({ length: records.count }, (_, index) => {
      if (records.object(index).log === breaking) throw new Error('The pipeline is broken');
      const { seconds, nanos } = records.time(index);
      const tag = JSON.stringify(records.tags?.[index] ?? '');
      return `${seconds}.${String(nanos).padStart(9, '0')} ${records.level(index)} ${tag} ${JSON.stringify(records.object(index))}\n`;
    }).join(''),
  );

export type Arrived = {
  readonly time: string;
  readonly level: number;
  readonly tag: string;
  readonly fields: Record<string, unknown>;
};

export function arrived(lines: string): Arrived[] {
  return lines
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [, time, level, tag, fields] = /^(\d+\.\d{9}) (\d+) ("(?:[^"\\]|\\.)*") (\{.*\})$/.exec(line) ?? [];
      if (fields === undefined) throw new Error(`No settled line: ${line.slice(0, 200)}`);
      return { time: time!, level: Number(level), tag: JSON.parse(tag!), fields: parseObject(fields) };
    });
}

/** All that is in the files of a queue, from its beginning. A copy: whoever opens a queue closes its segments. */
export async function contentOf(queue: string): Promise<Arrived[]> {
  await using copy = await scratch();
  const directory = copy.join('spool');
  // Nothing was put yet.
  if (!existsSync(queue)) return [];
  await cp(queue, directory, { recursive: true });
  await using spool = await Spool.open({ directory, sinks: ['test'], limit: 0x40000000, sync: 'never' });
  return readAll(spool, 'test');
}

async function readAll(spool: Spool, sink: string): Promise<Arrived[]> {
  await using reader = spool.reader(sink);
  let text = '';
  for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
    text += chunk.bytes.toString();
    chunk.take(chunk.bytes.length);
    chunk.acknowledgement(chunk.bytes.length)({ delivered: chunk.bytes.length, dead: 0, dropped: {} });
    chunk.release();
  }
  return arrived(text);
}

export type Settings = { readonly limit?: number; readonly lineLimit?: number } & Partial<Pick<SpoolOptions, 'policy'>>;

/** Opens a member with what its parameters are by default, and others. */
export async function openPushed(
  member: PushMember,
  given: Readonly<Record<string, unknown>>,
  { limit = 0x4000000, lineLimit = 0x100000, policy = 'block' }: Settings = {},
) {
  const directory = await scratch();
  const spool = await Spool.open({ directory: directory.path, sinks: ['test'], limit, policy, sync: 'never' });
  const counts: Record<string, number> = {};
  const intake = new Intake({
    queue: spool,
    settle,
    lineLimit,
    count: (_, became, records) => {
      counts[became] = (counts[became] ?? 0) + records;
    },
  });
  const source = await member.open({ parameters: { ...defaultsOf(member), ...given }, intake, log: silent });
  const had: Arrived[] = [];
  const read = async () => {
    had.push(...(await readAll(spool, 'test')));
    return had;
  };
  return {
    source,
    spool,
    counts,
    /** What has arrived so far; reading it makes room. */
    read,
    /** The field `log` of each record, once there are so many. */
    lines: async (count: number) => {
      await until(async () => (await read()).length >= count, {
        what: () => `${count} records, there are ${had.length}`,
      });
      return had.map(({ fields }) => fields.log);
    },
    async [Symbol.asyncDispose]() {
      await source[Symbol.asyncDispose]();
      await spool[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** What the member's own declarations say. */
export function defaultsOf({ parameters }: PushMember): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, parameter]) => {
      const { default: written } = parameter as { default?: string };
      return [name, written === undefined ? undefined : parameter.combine([parameter.parse(written)])];
    }),
  );
}

const child = fileURLToPath(import.meta.resolve('./pushed-child.ts'));

/** The same in a process of its own, which can be killed. `--name value` of its parameters as they are written. */
export async function startPushed(
  name: string,
  directory: string,
  given: Record<string, unknown>,
  options: PeerOptions = {},
): Promise<Peer & { listening: string }> {
  const peer = await startPeer(process.execPath, [child, name, directory, JSON.stringify(given)], {
    ready: /^listening /m,
    ...options,
  });
  const listening = /^listening (.*)$/m.exec(peer.stdout)![1]!;
  return Object.defineProperty(peer, 'listening', { value: listening }) as Peer & { listening: string };
}
