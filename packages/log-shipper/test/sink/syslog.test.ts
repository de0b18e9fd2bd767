import { writeFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { makeCertificate, scratch, until } from '@outrigger/core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Encoder } from '../../src/encode.ts';
import { severityOf } from '../../src/sink/syslog/message.ts';
import { syslog } from '../../src/sink/syslog.ts';
import { batchesOf, recordsOf } from '../chunk.ts';
import { sequence } from '../shipper.ts';
import { listenForDatagrams, parse5424, SyslogReceiver, unframe } from '../syslog-receiver.ts';
import { batchOf, openSink } from './open-sink.ts';

const open = (given: Readonly<Record<string, unknown>>) => openSink(syslog, { hostname: 'pod-1', ...given });
const anywhere = { address: { host: '127.0.0.1', port: 1 } };

/** What would be sent of them. */
async function framesOf(given: Readonly<Record<string, unknown>>, records = recordsOf(['hello'])): Promise<Buffer[]> {
  await using opened = await open({ ...anywhere, ...given });
  const { bytes } = batchOf(opened.sink, records);
  const { frames, left } = unframe(bytes, given.framing === 'lf' ? 'lf' : 'octet-counting');
  expect(left).toBe(0);
  return frames;
}

describe('messages', () => {
  test('have all parts of RFC 5424', async () => {
    const records = recordsOf(['hello w\u00f6rld', '']);
    records.times = { seconds: Float64Array.of(1_700_000_000, Number.NaN), nanos: Uint32Array.of(1_002_999, 0) };
    records.levels = Uint8Array.of(17, 0);
    const given = { facility: 'local3', appName: 'billing', procId: '42', msgId: 'ID47' };
    const [first, second] = (await framesOf(given, records)).map(parse5424);
    expect(first).toEqual({
      ...{ priority: 19 * 8 + 3, timestamp: '2023-11-14T22:13:20.001002Z', hostname: 'pod-1', appName: 'billing' },
      ...{ procId: '42', msgId: 'ID47', structuredData: '-', text: 'hello w\u00f6rld' },
    });
    expect(second).toMatchObject({ priority: 19 * 8 + 6, text: '' });
    expect(Math.abs(Date.parse(second!.timestamp) - Date.now())).toBeLessThan(10_000);
  });

  test('say how bad it is, and nothing is an emergency', () => {
    const severities = Array.from({ length: 24 }, (_, index) => severityOf(index + 1));
    expect(severities.join('')).toBe('777777776555444432111111');
  });

  test('keep to what the header may hold, whatever the parameters are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 400 }), async (name) => {
        const given = { hostname: name, appName: name, procId: name, msgId: name, sdId: name, structuredData: [name] };
        const records = recordsOf(['hello']);
        records.common = { [name]: name };
        const [message] = (await framesOf(given, records)).map(parse5424);
        expect(message!.text).toBe('hello');
      }),
      { numRuns: 60, verbose: true },
    );
  });

  test('have fields as structured data, where they are asked for and there', async () => {
    const records = recordsOf(['{"user":"a\\"b]c\\\\d","n":1}', '{}']);
    records.format = 'json';
    records.common = { service: 'billing' };
    const given = { structuredData: ['user', 'n', 'absent', 'service'], sdId: 'shop@1' };
    const messages = (await framesOf(given, records)).map(parse5424);
    expect(messages.map(({ structuredData }) => structuredData)).toEqual([
      String.raw`[shop@1 user="a\"b\]c\\d" n="1" service="billing"]`,
      '[shop@1 service="billing"]',
    ]);
  });

  test('have the time and the level that a line of JSON holds, also where nobody else looks into it', async () => {
    const lines = ['{"at":1700000000,"level":"bad","a":1}', '{"a":"x"}', 'no JSON', '{"at":5}'];
    for (const structuredData of [[], ['a']]) {
      const records = recordsOf(lines);
      records.format = 'json';
      records.sought = {
        timeField: 'at',
        readTime: (bytes, start, end, into) => {
          Object.assign(into, { seconds: Number(bytes.toString('latin1', start, end)), nanos: 0 });
          return true;
        },
        levelField: 'level',
        readLevel: (bytes, start, end) => (bytes.toString('latin1', start, end) === 'bad' ? 17 : 0),
      };
      const messages = (await framesOf({ structuredData }, records)).map(parse5424);
      expect(messages.map(({ text }) => text)).toEqual(lines);
      expect(messages.map(({ priority }) => priority % 8)).toEqual([3, 6, 6, 6]);
      const seconds = messages.map(({ timestamp }) => Date.parse(timestamp) / 1000);
      expect([seconds[0], seconds[3]]).toEqual([1_700_000_000, 5]);
    }
  });

  test('are the whole record as JSON where that is asked for', async () => {
    const records = recordsOf(['hello']);
    records.common = { service: 'billing' };
    const [message] = (await framesOf({ encoding: 'json' }, records)).map(parse5424);
    expect(JSON.parse(message!.text)).toEqual({ log: 'hello', service: 'billing' });
  });

  test('say with a byte order mark that they are UTF-8, and are', async () => {
    const records = recordsOf(['hello']);
    records.replaced = new Map();
    const [frame] = await framesOf({ bom: true }, records);
    expect(parse5424(frame!).text).toBe('\ufeffhello');
  });

  test('are counted in octets, whatever is in them, also when a record takes more digits than the one before', async () => {
    const lines = ['', 'x', 'x'.repeat(9), 'x'.repeat(99), 'x'.repeat(9999), '\u{1f600}'.repeat(500), '7 <13>1 - a'];
    const frames = await framesOf({}, recordsOf(lines));
    expect(frames.map((frame) => parse5424(frame).text)).toEqual(lines);
  });

  test('have no line feed in them where that is what ends them', async () => {
    const records = recordsOf(['joined', 'next']);
    records.replaced = new Map([[0, Buffer.from('first\nsecond\n')]]);
    const frames = await framesOf({ framing: 'lf' }, records);
    expect(frames.map((frame) => parse5424(frame).text)).toEqual(['first second ', 'next']);
  });

  test('and of RFC 3164', async () => {
    const records = recordsOf(['hello']);
    const at = new Date(2023, 10, 4, 2, 3, 4);
    records.times = { seconds: Float64Array.of(at.getTime() / 1000), nanos: Uint32Array.of(0) };
    const [frame] = await framesOf({ format: 'rfc3164', appName: 'billing', procId: '42' }, records);
    expect(frame!.toString()).toBe('<14>Nov  4 02:03:04 pod-1 billing[42]: hello');
  });
});

describe('by TCP', () => {
  test('messages arrive, one connection for all', async () => {
    await using receiver = await SyslogReceiver.listen();
    await using opened = await open({ address: receiver.address });
    for (const line of ['one', 'two'])
      expect(await opened.write(batchOf(opened.sink, [line]))).toEqual({ became: 'delivered' });
    await until(() => receiver.texts.length === 2);
    expect(receiver.texts).toEqual(['one', 'two']);
    expect(receiver.streams.length).toBe(1);
  });

  test('by TLS, too, and to nobody who is not known', async () => {
    await using directory = await scratch();
    const issuer = makeCertificate({ name: 'authority', authority: true });
    await writeFile(directory.join('ca.crt'), issuer.cert);
    await using receiver = await SyslogReceiver.listen({ tls: makeCertificate({ issuer }) });
    await using opened = await open({ address: receiver.address, caFile: directory.join('ca.crt') });
    expect(await opened.write(batchOf(opened.sink, ['one']))).toEqual({ became: 'delivered' });
    await until(() => receiver.texts.length === 1);
    await using stranger = await SyslogReceiver.listen({ tls: makeCertificate() });
    await using wary = await open({ address: stranger.address, caFile: directory.join('ca.crt') });
    expect(await wary.write(batchOf(wary.sink, ['one']))).toMatchObject({ became: 'retry' });
    expect(stranger.streams.every(({ length }) => length === 0)).toBe(true);
  });

  test('nobody there is a reason to try again, and a new connection begins with a whole message', async () => {
    await using receiver = await SyslogReceiver.listen();
    await using opened = await open({ address: receiver.address });
    const { address } = receiver;
    await receiver[Symbol.asyncDispose]();
    const batch = batchOf(opened.sink, sequence(1, 100));
    expect(await opened.write(batch)).toMatchObject({
      became: 'retry',
      reason: expect.stringContaining('ECONNREFUSED'),
    });
    await using again = await SyslogReceiver.listen({ port: address.port });
    expect(await opened.write(batch)).toEqual({ became: 'delivered' });
    await until(() => again.texts.length === 100);
    expect(again.texts).toEqual(sequence(1, 100));
  });

  test('a receiver that does not read is waited for, and then gets the batch over a new connection', async () => {
    await using receiver = await SyslogReceiver.listen();
    receiver.reads = false;
    await using opened = await open({ address: receiver.address });
    const lines = sequence(1, 150_000);
    const { sink } = opened;
    const [batch] = batchesOf(new Encoder(sink.encoding, { bytes: Number.POSITIVE_INFINITY }), recordsOf(lines));
    const late = new AbortController();
    const writing = opened.write(batch!, late.signal);
    await until(() => receiver.streams.length === 1);
    late.abort(new Error('no answer within 1m'));
    expect(await writing).toEqual({ became: 'retry', reason: 'no answer within 1m' });
    receiver.reads = true;
    expect(await opened.write(batch!)).toEqual({ became: 'delivered' });
    await until(() => receiver.bytes === batch!.bytes.length);
    expect(receiver.texts).toEqual(lines);
  });

  test('a connection that the receiver has ended is not written to', async () => {
    await using receiver = await SyslogReceiver.listen();
    await using opened = await open({ address: receiver.address });
    expect(await opened.write(batchOf(opened.sink, ['one']))).toEqual({ became: 'delivered' });
    await until(() => receiver.texts.length === 1);
    receiver.hangUp();
    await until(() => receiver.sockets.size === 0);
    await setImmediate();
    await setImmediate();
    expect(await opened.write(batchOf(opened.sink, ['two']))).toEqual({ became: 'delivered' });
    await until(() => receiver.texts.length === 2);
  });

  for (const resend of [0, 1, 3, 100])
    test(`after a connection was lost, the last ${resend} records are sent again`, async () => {
      await using receiver = await SyslogReceiver.listen();
      await using opened = await open({ address: receiver.address, resend });
      for (const lines of [sequence(1, 4), sequence(5, 6), sequence(7, 7)])
        await opened.write(batchOf(opened.sink, lines));
      await until(() => receiver.texts.length === 7);
      receiver.hangUp();
      await until(() => receiver.sockets.size === 0);
      await setImmediate();
      await setImmediate();
      await opened.write(batchOf(opened.sink, ['the next']));
      await until(() => receiver.texts.includes('the next'));
      const again = receiver.texts.slice(7, -1);
      expect(again).toEqual(sequence(1, 7).slice(7 - again.length));
      expect(again.length).toBeGreaterThanOrEqual(Math.min(7, resend));
      expect(again.length).toBeLessThanOrEqual(Math.min(7, resend * 2));
    });

  test('a connection that has become old is replaced, and nothing is sent again for that', async () => {
    await using receiver = await SyslogReceiver.listen();
    await using opened = await open({ address: receiver.address, connectionAge: 10, resend: 100 });
    let count = 0;
    await until(async () => {
      expect(await opened.write(batchOf(opened.sink, [`line ${++count}`]))).toEqual({ became: 'delivered' });
      return receiver.streams.length >= 3;
    });
    await until(() => receiver.texts.length >= count);
    expect(receiver.texts.sort()).toEqual(sequence(1, count).sort());
  });
});

describe('by UDP', () => {
  test('a record is a datagram, and cut between characters where it is too long', async () => {
    await using receiver = await listenForDatagrams();
    await using opened = await open({ address: receiver.address, transport: 'udp', datagramLimit: 500 });
    const lines = [...sequence(1, 100), '\u{1f600}'.repeat(500)];
    expect(await opened.write(batchOf(opened.sink, lines))).toEqual({ became: 'delivered' });
    await until(() => receiver.datagrams.length === lines.length);
    const messages = receiver.datagrams.map((datagram) => {
      expect(datagram.length).toBeLessThanOrEqual(500);
      return parse5424(datagram).text;
    });
    expect(messages.slice(0, 100)).toEqual(sequence(1, 100));
    expect(messages[100]).toMatch(/^(\u{1f600}){80,}$/u);
    expect(opened.said.filter((line) => line.includes('cut')).length).toBe(1);
  });

  test('a name that leads nowhere is a reason to try again', async () => {
    await using opened = await open({ address: { host: 'nowhere.invalid', port: 514 }, transport: 'udp' });
    expect(await opened.write(batchOf(opened.sink, ['one']))).toMatchObject({ became: 'retry' });
  });
});
