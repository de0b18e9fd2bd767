// What holds for every sink over HTTP, against its own strict receiver.

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { freePort, makeCertificate, scratch, until } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import type { HttpReceiver } from '../receivers/http-receiver.ts';
import { receivers } from '../receivers/receivers.ts';
import { sequence } from '../shipper.ts';
import { credentialsFor, drain, type HttpSinkName, openSink, openTo } from './http-peers.ts';

const short = (name: HttpSinkName) => [`--sink-${name}-timeout`, '200ms', `--sink-${name}-connect-timeout`, '500ms'];
const lines = sequence(1, 100);
/** Records whose text a receiver dislikes. */
const disliking = (text: string) => (record: unknown) =>
  JSON.stringify(record).includes(text) ? 'I dislike it' : undefined;

describe.each(Object.keys(receivers) as HttpSinkName[])('%s', (name) => {
  const listen = (options?: Parameters<(typeof receivers)[HttpSinkName]['listen']>[0]): Promise<HttpReceiver> =>
    receivers[name].listen(options);

  test('delivers each record once, in order, over one connection', async () => {
    await using receiver = await listen();
    await using to = await openTo(name, receiver);
    for (const from of [1, 101, 201])
      expect(await to.write(sequence(from, from + 99))).toEqual({ became: 'delivered' });
    expect(receiver.lines).toEqual(sequence(1, 300));
    expect([receiver.requests.length, receiver.connections]).toEqual([3, 1]);
    expect(receiver.requests[0]!.headers['content-encoding']).toBe('gzip');
  });

  test.each(['none', 'gzip', 'zstd'])('understands itself with the receiver, compression %s', async (compression) => {
    await using receiver = await listen();
    const opening = openTo(name, receiver, [`--sink-${name}-compression`, compression]);
    if (compression === 'zstd' && ['splunk-hec', 'elasticsearch', 'opensearch'].includes(name))
      return expect(opening).rejects.toThrow('is expected');
    await using to = await opening;
    expect(await to.write(lines)).toEqual({ became: 'delivered' });
    expect(receiver.requests[0]!.headers['content-encoding']).toBe(compression === 'none' ? undefined : compression);
    expect(receiver.lines).toEqual(lines);
  });

  const html = { 'content-type': 'text/html' };
  const inNineSeconds = () => ({ 'retry-after': new Date(Date.now() + 9000).toUTCString() });
  test.each([
    ['429 with seconds', 429, () => ({ 'retry-after': '7' }), 'slow down', [7000, 7000]],
    ['503 with a date', 503, inNineSeconds, '', [7000, 9000]],
    ['502 with a page of HTML', 502, () => html, '<html><h1>Bad Gateway</h1>', [0, 0]],
    ['504 in pieces', 504, () => ({}), 'x'.repeat(50_000), [0, 0]],
  ] as const)('tries again after %s', async (_, status, headers, body, [least, most]) => {
    await using receiver = await listen();
    await using to = await openTo(name, receiver);
    receiver.fail({ fault: 'answer', status, headers: headers(), body, chunked: status === 504 });
    const verdict = await to.write(lines);
    expect(verdict).toMatchObject({ became: 'retry', reason: expect.stringContaining(String(status)) });
    const { after = 0, reason } = verdict as { after?: number; reason: string };
    expect(after).toBeGreaterThanOrEqual(least);
    expect(after).toBeLessThanOrEqual(most);
    expect(reason.length).toBeLessThan(300);
    expect(await to.write(lines)).toEqual({ became: 'delivered' });
    expect(receiver.lines).toEqual(lines);
  });

  test.each([401, 403, 404, 302])('waits for somebody to mend things after %s', async (status) => {
    await using receiver = await listen();
    await using elsewhere = await listen();
    await using to = await openTo(name, receiver);
    receiver.fail({ fault: 'answer', status, headers: { location: elsewhere.url }, body: 'no' });
    expect(await to.write(lines)).toMatchObject({ became: 'paused', reason: expect.stringContaining(`${status}`) });
    expect(elsewhere.requests).toEqual([]);
    expect(receiver.stored).toEqual([]);
  });

  test('halves what is too large until it fits, and what does not fit alone is dead', async () => {
    await using receiver = await listen();
    receiver.limit = 1500;
    await using to = await openTo(name, receiver);
    const { dead } = await drain(to, to.batch([...sequence(1, 20), 'x'.repeat(2000), ...sequence(21, 40)]));
    expect(dead.length).toBe(1);
    expect(receiver.lines.toSorted()).toEqual(sequence(1, 40).toSorted());
  });

  test('one record that the receiver dislikes is dead, with a reason, and all others arrive', async () => {
    await using receiver = await listen();
    receiver.poison = disliking('line 77"');
    if (name === 'loki') receiver.poison = (line) => (line === 'line 77' ? 'I dislike it' : undefined);
    await using to = await openTo(name, receiver);
    const batch = to.batch(lines);
    const { dead } = await drain(to, batch);
    const others = lines.filter((line) => line !== 'line 77');
    if (name === 'otlp-http') {
      // It says how many, not which: all of them are kept.
      expect(dead.length).toBe(100);
      expect(dead[0]!.reason).toContain('1 of 100 records are rejected: I dislike it');
    } else expect(dead).toMatchObject([{ uid: batch.uid(76) }]);
    expect([...new Set(receiver.lines)].toSorted()).toEqual(others.toSorted());
    expect(receiver.lines.length).toBe(99);
  });

  test.each([
    ['reset in the middle of the request', { fault: 'reset', after: 1 }, 'closed before an answer'],
    ['end the connection', { fault: 'half close' }, 'closed before an answer'],
    ['hang up after storing', { fault: 'hang up after storing' }, 'closed before an answer'],
    ['speak something else', { fault: 'not HTTP' }, 'does not speak HTTP'],
    ['never answer', { fault: 'never answer' }, 'no answer within 200ms'],
    ['stop in the middle of the answer', { fault: 'stall in the answer' }, 'no end of the answer within 200ms'],
  ] as const)('a receiver that chooses to %s is tried again, with a reason', async (_, fault, reason) => {
    await using receiver = await listen();
    await using to = await openTo(name, receiver, short(name));
    receiver.fail(fault);
    await expect(to.write(lines)).rejects.toMatchObject({ cause: expect.anything() });
    receiver.fail(fault);
    const said = await to.write(lines).catch((error: Error) => `${error.message}: ${(error.cause as Error).message}`);
    expect(said).toContain(reason);
    expect(said).toContain('127.0.0.1');
    expect(await to.write(lines)).toEqual({ became: 'delivered' });
    expect(new Set(receiver.lines)).toEqual(new Set(lines));
  });

  test('a receiver that stops reading is given up', async () => {
    await using receiver = await listen();
    await using to = await openTo(name, receiver, [...short(name), `--sink-${name}-compression`, 'none']);
    receiver.fail({ fault: 'never read' });
    // More than the kernel buffers on the way. Sent in pieces, so that it is seen whether each is taken.
    const large = Array.from({ length: 300 }, (_, at) => `${at} ${'x'.repeat(60_000)}`);
    await expect(to.write(large)).rejects.toMatchObject({
      cause: { message: 'nothing more of the request was taken within 200ms' },
    });
  });

  test('an answer that comes before the request was all sent is that answer', async () => {
    await using receiver = await listen();
    await using to = await openTo(name, receiver, [`--sink-${name}-compression`, 'none']);
    const large = Array.from({ length: 300 }, (_, at) => `${at} ${'x'.repeat(60_000)}`);
    receiver.fail({ fault: 'answer early', status: 413, body: 'too large' });
    expect(await to.write(large)).toMatchObject({ became: 'split', reason: 'status 413: too large' });
    expect(await to.write(lines)).toEqual({ became: 'delivered' });
  });

  test('a receiver that accepts and says nothing, where TLS is to begin, is given up', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    await using receiver = await listen();
    const url = [`--sink-${name}-url`, `https://127.0.0.1:${port}`];
    await using to = await openSink(name, [...url, ...short(name)], credentialsFor(name, receiver));
    await expect(to.write(lines)).rejects.toMatchObject({ cause: { message: 'no connection within 500ms' } });
    silent.close();
  });

  test('a page of HTML, garbage or five megabytes for an answer are no acknowledgement', async () => {
    await using receiver = await listen();
    await using to = await openTo(name, receiver);
    receiver.fail({ fault: 'answer', status: 200, headers: html, body: '<html>Please log in</html>' });
    expect(await to.write(lines)).toMatchObject({ became: 'retry', reason: expect.stringContaining('Please log in') });
    receiver.fail({ fault: 'huge answer' });
    expect(await to.write(lines)).toMatchObject({ became: 'retry' });
    receiver.fail({ fault: 'huge answer', chunked: true, status: 500 });
    expect(await to.write(lines)).toMatchObject({ became: name === 'otlp-http' ? 'dead' : 'retry' });
    if (!['http', 'datadog', 'loki'].includes(name)) {
      receiver.fail({ fault: 'answer', status: 200, body: '{"half":' });
      expect(await to.write(lines)).toMatchObject({ became: 'retry' });
    }
    expect(receiver.stored).toEqual([]);
  });

  test('informational answers change nothing', async () => {
    await using receiver = await listen();
    await using to = await openTo(name, receiver);
    receiver.fail({ fault: 'continue first' });
    expect(await to.write(lines)).toEqual({ became: 'delivered' });
  });

  test('a receiver that closes an idle connection is not down', async () => {
    await using receiver = await listen();
    await using to = await openTo(name, receiver);
    expect(await to.write(lines)).toEqual({ became: 'delivered' });
    receiver.hangUp();
    expect(await to.write(sequence(101, 200))).toEqual({ became: 'delivered' });
    expect(receiver.lines).toEqual(sequence(1, 200));
  });

  test('where nobody listens that is said, and once somebody does records arrive', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}${name === 'http' ? '/logs' : ''}`;
    await using receiver = await receivers[name].listen();
    await using to = await openSink(name, [`--sink-${name}-url`, url], credentialsFor(name, receiver));
    await expect(to.write(lines)).rejects.toThrow('nobody listens there');
    await using late = await listen({ port });
    expect(await to.write(lines)).toEqual({ became: 'delivered' });
    expect(late.lines).toEqual(lines);
  });

  test('gives up at once when it is told to', async () => {
    await using receiver = await listen();
    await using to = await openTo(name, receiver);
    receiver.fail({ fault: 'never answer' });
    const giveUp = new AbortController();
    const writing = to.write(lines, giveUp.signal);
    await until(() => receiver.requests.length === 1);
    giveUp.abort(new Error('enough'));
    await expect(writing).rejects.toThrow('enough');
  });

  test('bytes that are not UTF-8, control characters and empty lines arrive as they can', async () => {
    await using receiver = await listen();
    await using to = await openTo(name, receiver);
    const odd = ['quote " and \\', 'nul \0 tab \t', '\u00e4\u{1f600}', '{"not": "json', ''];
    expect(await to.write(odd)).toEqual({ became: 'delivered' });
    expect(receiver.lines).toEqual(odd);
  });

  test('TLS: the authority, the certificate of the receiver and ours are rotated without a restart', async () => {
    await using directory = await scratch();
    const authority = (at: number) => makeCertificate({ name: `authority ${at}`, authority: true });
    const [first, second] = [authority(1), authority(2)];
    const signed = (issuer: typeof first, cn: string) => makeCertificate({ name: cn, issuer });
    const server = signed(first, 'localhost');
    const files = { ca: directory.join('ca.crt'), cert: directory.join('tls.crt'), key: directory.join('tls.key') };
    const client = signed(first, 'shipper 1');
    await writeFile(files.ca, first.cert);
    await writeFile(files.cert, client.cert);
    await writeFile(files.key, client.key);
    const ca = [first.cert, second.cert];
    await using receiver = await listen({
      tls: { cert: server.cert, key: server.key, ca, requestCert: true, rejectUnauthorized: true },
    });
    const flags = Object.entries({ 'ca-file': files.ca, 'certificate-file': files.cert, 'key-file': files.key });
    await using to = await openTo(
      name,
      receiver,
      flags.flatMap(([flag, path]) => [`--sink-${name}-${flag}`, path]),
    );
    expect(await to.write(lines)).toEqual({ became: 'delivered' });
    expect(receiver.requests.at(-1)!.peer).toBe('shipper 1');

    const renewed = signed(second, 'localhost');
    receiver.rotate({ cert: renewed.cert, key: renewed.key, ca });
    await expect(to.write(lines)).rejects.toThrow('authority that is not trusted');
    await writeFile(files.ca, second.cert);
    const next = signed(second, 'shipper 2');
    await writeFile(files.cert, next.cert);
    await writeFile(files.key, next.key);
    const more = sequence(101, 200);
    await until(() =>
      to.write(more).then(
        ({ became }) => became === 'delivered' && receiver.requests.at(-1)!.peer === 'shipper 2',
        () => false,
      ),
    );
    expect(new Set(receiver.lines)).toEqual(new Set([...lines, ...more]));
  });

  test('TLS files for a URL that is not https are a mistake', async () => {
    await using directory = await scratch();
    const ca = directory.join('ca.crt');
    await writeFile(ca, makeCertificate().cert);
    await using receiver = await listen();
    await expect(openTo(name, receiver, [`--sink-${name}-ca-file`, ca])).rejects.toMatchObject({
      message: 'is expected to be https, since TLS files are named',
      key: expect.stringMatching(/^sink\w+Url$/),
    });
  });

  test('a receiver whose certificate is for another name, or has expired, is not trusted', async () => {
    await using directory = await scratch();
    const ca = directory.join('ca.crt');
    for (const [made, reason] of [
      [makeCertificate({ hosts: ['elsewhere'] }), 'for other names'],
      [makeCertificate({ notAfter: new Date(Date.now() - 1000) }), 'has expired'],
    ] as const) {
      await writeFile(ca, made.cert);
      await using receiver = await listen({ tls: { cert: made.cert, key: made.key } });
      await using to = await openTo(name, receiver, [`--sink-${name}-ca-file`, ca]);
      await expect(to.write(lines)).rejects.toThrow(reason);
      expect(receiver.requests).toEqual([]);
    }
  });

  test('the name that a certificate is for may be said', async () => {
    await using directory = await scratch();
    const ca = directory.join('ca.crt');
    const made = makeCertificate({ hosts: ['elsewhere'] });
    await writeFile(ca, made.cert);
    await using receiver = await listen({ tls: { cert: made.cert, key: made.key } });
    const args = [`--sink-${name}-ca-file`, ca, `--sink-${name}-tls-server-name`, 'elsewhere'];
    await using to = await openTo(name, receiver, args);
    expect(await to.write(lines)).toEqual({ became: 'delivered' });
  });
});
