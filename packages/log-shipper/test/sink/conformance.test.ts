// What holds for every sink.

import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { scratch, until } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import { sinks } from '../../src/sink/index.ts';
import { Receiver } from '../receiver.ts';
import type { HttpReceiver } from '../receivers/http-receiver.ts';
import { receivers } from '../receivers/receivers.ts';
import { ledgerOf, metric, sequence, text, toForward, workplace } from '../shipper.ts';
import { SyslogReceiver } from '../syslog-receiver.ts';
import { credentialsFor, type HttpSinkName } from './http-peers.ts';

type Peer = {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly lines: (stdout: string) => readonly string[];
};

const overHttp = (name: HttpSinkName) => async (stack: AsyncDisposableStack) => {
  const receiver = stack.use(await receivers[name].listen());
  return {
    args: ['--sink', name, `--sink-${name}-url`, receiver.url],
    env: credentialsFor(name, receiver),
    lines: () => receiver.lines,
  };
};

/** Something real at the other end. */
const peers: Record<keyof typeof sinks, (stack: AsyncDisposableStack) => Promise<Peer>> = {
  stdout: async () => ({ args: [], lines: (stdout) => stdout.split('\n').slice(0, -1) }),
  file: async (stack) => {
    const directory = stack.use(await scratch());
    const path = directory.join('out.log');
    const read = () => (existsSync(path) ? readFileSync(path, 'utf8') : '');
    return { args: ['--sink', 'file', '--sink-file-path', path], lines: () => read().split('\n').slice(0, -1) };
  },
  forward: async (stack) => {
    const receiver = stack.use(await Receiver.listen());
    return { args: toForward(receiver.address), lines: () => receiver.lines };
  },
  'splunk-hec': overHttp('splunk-hec'),
  elasticsearch: overHttp('elasticsearch'),
  opensearch: overHttp('opensearch'),
  datadog: overHttp('datadog'),
  loki: overHttp('loki'),
  'otlp-http': overHttp('otlp-http'),
  http: overHttp('http'),
  syslog: async (stack) => {
    const receiver = stack.use(await SyslogReceiver.listen());
    const args = ['--sink', 'syslog', '--sink-syslog-address', String(receiver.address)];
    return { args, lines: () => receiver.texts };
  },
};

for (const name of Object.keys(sinks) as (keyof typeof sinks)[]) {
  describe(name, () => {
    test('delivers every line once and in order, counts it, and acknowledges it', async () => {
      await using place = await workplace();
      await using stack = new AsyncDisposableStack();
      const { args, env = {}, lines } = await peers[name](stack);
      await place.append(text(sequence(1, 50_000)));
      await using shipper = await place.ship(args, { env });
      await until(() => lines(shipper.stdout).length >= 50_000);
      await place.append('a single line\n');
      await until(() => lines(shipper.stdout).length >= 50_001);
      expect(lines(shipper.stdout)).toEqual([...sequence(1, 50_000), 'a single line']);
      await until(async () => (await ledgerOf(shipper)).files[0]?.lag === 0);
      expect(await metric(shipper, `delivered_records_total{sink="${name}"}`)).toBe(50_001);
      expect((await ledgerOf(shipper)).sinks).toMatchObject([{ name, state: 'idle', lag: 0 }]);
    });

    test('ships a line longer than the limit in pieces, and the next one intact', async () => {
      await using place = await workplace();
      await using stack = new AsyncDisposableStack();
      const { args, env = {}, lines } = await peers[name](stack);
      const long = 'x'.repeat(100_000);
      await place.append(`${long}\nnext\n`);
      await using shipper = await place.ship([...args, '--line-limit', '32KiB'], { env });
      await until(() => lines(shipper.stdout).includes('next'));
      const printed = lines(shipper.stdout);
      expect(printed.slice(0, -1).join('')).toBe(long);
      expect(printed.every((line) => line.length <= 32_768)).toBe(true);
      expect(await metric(shipper, 'split_lines_total')).toBe(3);
    });
  });
}

const refusing = Object.keys(receivers) as HttpSinkName[];

describe.each(refusing)('%s, when things go wrong', (name) => {
  test('every line arrives or is a dead letter, and the ledger says so to the byte', async () => {
    await using place = await workplace();
    await using receiver: HttpReceiver = await receivers[name].listen();
    const lines = sequence(1, 400);
    const poison = 'line 77';
    receiver.poison = (record) => (`${JSON.stringify(record)}"`.includes(`${poison}"`) ? 'I dislike it' : undefined);
    receiver.limit = 20_000;
    receiver
      .fail({ fault: 'answer', status: 503, body: 'starting' })
      .fail({ fault: 'reset' })
      .fail({ fault: 'never answer' })
      .fail({ fault: 'hang up after storing' });
    await place.append(text(lines));
    await using shipper = await place.ship(
      ['--sink', name, `--sink-${name}-url`, receiver.url, `--sink-${name}-timeout`, '300ms'],
      { env: credentialsFor(name, receiver) },
    );
    const length = text(lines).length;
    const settled = await until(async () => {
      const { files, sinks } = await ledgerOf(shipper);
      return files[0]?.acknowledged === length && sinks[0];
    });
    expect(settled).toMatchObject({ name, read: length, buffered: 0, lag: 0 });
    expect(settled.delivered + settled.dead).toBe(length);
    expect(receiver.failed).toEqual(['answer', 'reset', 'never answer', 'hang up after storing']);
    const letters = (await deadIn(place.state('dead'))).map(({ record }) => String(record.message ?? record.log));
    // OTLP says how many it refuses, not which.
    if (name === 'otlp-http') expect(letters).toContain(poison);
    else expect(letters).toEqual([poison]);
    const others = lines.filter((line) => !letters.includes(line));
    expect(new Set([...receiver.lines, ...letters])).toEqual(new Set(lines));
    expect(new Set(receiver.lines).size).toBeGreaterThanOrEqual(others.length);
    // Where the vendor recognises what it has already, it is there once.
    if (['elasticsearch', 'opensearch', 'loki'].includes(name)) expect(receiver.lines.length).toBe(399);
  });
});

async function deadIn(directory: string): Promise<{ record: Record<string, unknown> }[]> {
  const names = (await readdir(directory)).filter((each) => each.endsWith('.ndjson'));
  const files = await Promise.all(names.map((each) => readFile(`${directory}/${each}`, 'utf8')));
  return files.flatMap((file) => file.split('\n').filter(Boolean)).map((line) => JSON.parse(line));
}
