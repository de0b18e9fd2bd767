// What a line costs on its way from the bytes of a file to a Forward packet or a JSON body, in one process and without a
// network: lines per CPU second, stage by stage, each stage with those before it. Rounds are short and by turns, so that a
// machine that is busy with other things slows all of them alike. BENCH_ROUNDS makes it shorter or longer.

import { openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { scratch } from '@outrigger/core/testing';
import { Encoder } from '../../../packages/log-shipper/src/encode.ts';
import type { Encoding } from '../../../packages/log-shipper/src/encoding/encoding.ts';
import { json } from '../../../packages/log-shipper/src/encoding/json.ts';
import { msgpack } from '../../../packages/log-shipper/src/encoding/msgpack.ts';
import { frame } from '../../../packages/log-shipper/src/frame.ts';
import { parse } from '../../../packages/log-shipper/src/parse.ts';
import { json as jsonParser } from '../../../packages/log-shipper/src/parser/json.ts';
import type { Parser } from '../../../packages/log-shipper/src/parser/parser.ts';
import { raw as rawParser } from '../../../packages/log-shipper/src/parser/raw.ts';
import type { Records } from '../../../packages/log-shipper/src/records.ts';
import type { Chunk } from '../../../packages/log-shipper/src/source/source.ts';
import { heading, median } from '../measure.ts';

const lineLength = 189;
const rounds = Number(process.env.BENCH_ROUNDS ?? 40);
const chunkLength = 1 << 20;

await using directory = await scratch();
process.on('exit', () => rmSync(directory.path, { recursive: true, force: true }));

/** Newline included. */
function lineOf(number: number): string {
  const record = {
    time: new Date(1_700_000_000_000 + number * 37).toISOString(),
    level: ['info', 'info', 'warn', 'error'][number % 4],
    msg: 'request completed',
    method: 'GET',
    path: `/api/v1/orders/${number}`,
    status: 200,
    duration: (number % 97) / 8,
    bytes: (number * 7) % 65_536,
    trace: '',
  };
  const missing = lineLength - 1 - JSON.stringify(record).length;
  return `${JSON.stringify({ ...record, trace: '4bf92f3577b34da6a3ce929d0e0e4736'.slice(0, missing).padEnd(missing, '0') })}\n`;
}

const lines = Math.floor(chunkLength / lineLength) * 4;
const file = `${directory.path}/app.log`;
writeFileSync(file, Array.from({ length: lines }, (_, number) => lineOf(number)).join(''));
const fd = openSync(file, 'r');
const buffer = Buffer.allocUnsafeSlow(chunkLength);

/** The whole file, chunk by chunk, into one buffer that is used again. */
function eachChunk(use: (chunk: Chunk) => void): void {
  for (let offset = 0; ; ) {
    const length = readSync(fd, buffer, 0, chunkLength, offset);
    if (length === 0) return;
    let taken = length;
    use({
      path: file,
      origin: 'abcdefghijk',
      offset,
      bytes: buffer.subarray(0, length),
      unfinished: 'held',
      quiet: 0,
      full: true,
      take: (count) => {
        taken = count;
      },
      acknowledgement: () => () => undefined,
      release: () => undefined,
    });
    offset += taken;
  }
}

const raw = rawParser.open({});
const parsed = jsonParser.open({});

function recordsOf(chunk: Chunk, parser: Parser, seen: boolean): Records {
  const records = frame(chunk, { limit: chunkLength });
  parse(records, parser, seen);
  records.common = { host: 'web-1' };
  return records;
}

function encode(encoding: Encoding, parser: Parser, seen = false): () => void {
  const encoder = new Encoder(encoding, { bytes: chunkLength - 256 });
  return () => {
    eachChunk((chunk) => {
      for (const batch of encoder.encode(recordsOf(chunk, parser, seen))) batch.acknowledge();
    });
    encoder.flush()?.acknowledge();
  };
}

const stages: Readonly<Record<string, () => void>> = {
  read: () => eachChunk(() => undefined),
  'read, frame': () => eachChunk((chunk) => frame(chunk, { limit: chunkLength })),
  'raw to Forward': encode(msgpack, raw),
  'raw to JSON': encode(json, raw),
  'JSON to Forward': encode(msgpack, parsed),
  'JSON to JSON': encode(json, parsed),
  'JSON to Forward, fields seen': encode(msgpack, parsed, true),
  'JSON.parse alone': () => eachChunk((chunk) => eachLine(chunk, (line) => JSON.parse(line))),
};

function eachLine(chunk: Chunk, use: (line: string) => void): void {
  const { spans } = frame(chunk, { limit: chunkLength });
  for (let at = 0; at < spans.length; at += 2) use(chunk.bytes.toString('utf8', spans[at], spans[at + 1]));
}

/** Nanoseconds of CPU per line. */
function costOf(stage: () => void): number {
  const before = process.cpuUsage();
  stage();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / lines;
}

const wanted = Object.entries(stages).filter(([name]) => process.argv.length === 2 || process.argv.includes(name));
const costs = new Map(wanted.map(([name]) => [name, [] as number[]]));
for (let round = 0; round < rounds; round++)
  for (const [name, stage] of wanted) {
    const cost = costOf(stage);
    // Until it is compiled, it is another program.
    if (round >= rounds / 4) costs.get(name)!.push(cost);
  }

process.stdout.write(heading(`From file to packet, ${lines} lines of ${lineLength} bytes, ${rounds} rounds`));
process.stdout.write(`Load average ${loadavg()[0]?.toFixed(2)}. Nanoseconds of CPU per line.\n\n`);
process.stdout.write('| | median | least | lines per CPU second, median |\n| --- | --- | --- | --- |\n');
for (const [name, each] of costs) {
  const perSecond = (1e9 / median(each)).toLocaleString('en', { maximumFractionDigits: 0 });
  process.stdout.write(`| ${name} | ${median(each).toFixed(0)} | ${Math.min(...each).toFixed(0)} | ${perSecond} |\n`);
}
