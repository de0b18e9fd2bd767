// h2load: many streams over few HTTP/2 connections.

import { readFile, rm } from 'node:fs/promises';
import { type Command, generate } from '../machine.ts';
import { bodies, type Path } from '../origin.ts';
import { type Latency, type Load, percentile, wholeSeconds } from './load.ts';

const connections = 8;
const streams = 16;

export function h2load({ get }: { readonly get: Path }): Load {
  return async ({ port, directory }, span) => {
    const log = directory.join('h2load.log');
    await rm(log, { force: true });
    const command: Command = [
      ...(['h2load', '-t1', `-c${connections}`, `-m${streams}`, '-D', String(wholeSeconds(span))] as const),
      ...['--npn-list=h2', '--log-file', log, `https://127.0.0.1:${port}${get}`],
    ];
    return { over: generate(command).then((output) => latencyOf(output, log, bodies[get].length)) };
  };
}

/** The log has start, status and microseconds of each answer. */
async function latencyOf(output: string, log: string, body: number): Promise<Latency> {
  const lines = (await readFile(log, 'utf8')).trimEnd().split('\n');
  if (!isClean(output, body) || lines.some((line) => line.split('\t')[1] !== '200'))
    throw new Error(`Not everything was answered as it should be:\n${output}`);
  const sorted = Float64Array.from(lines, (line) => Number(line.split('\t')[2]) / 1000).sort();
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}

/** Streams that are open at the end are counted as started only, but their octets as received. */
function isClean(output: string, body: number): boolean {
  const count = (name: string) => Number(new RegExp(`(\\d+) ${name}\\b`).exec(output)?.[1]);
  const rest = Number(/\((\d+)\) data/.exec(output)?.[1]) - count('done') * body;
  const failed = ['failed', 'errored', 'timeout', '3xx', '4xx', '5xx'].some((name) => count(name) !== 0);
  return count('done') > 0 && !failed && rest >= 0 && rest <= connections * streams * body;
}
