// Requests that must not pass, and odd ones that may. See rows.test.ts for the list.

import { until } from '@outrigger/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { badBodies } from '../cases/bodies.ts';
import { hostile } from '../cases/heads.ts';
import { tolerated } from '../cases/tolerated.ts';
import { dial, get } from '../raw.ts';
import { answerWhole, type Bench, give, openBench, problemOf, type Way, ways, withoutOwn } from './ways.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench(answerWhole, ['--body-limit', '64KiB', '--upstream-idle-timeout', '60s']);
});
afterAll(() => bench[Symbol.asyncDispose]());

const heard = () => bench.application.connections.reduce((sum, { length }) => sum + length, 0);
const connected = () => bench.application.connections.length;
const chunkedHead = (path: string) => `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`;

let paths = 0;
const ownPath = () => `/${++paths}/`;

/** A request behind one that must end the connection. */
function smuggle() {
  const path = ownPath();
  const came = () => bench.application.connections.some(({ text }) => text.includes(path));
  return { octets: `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`, came };
}

/** What the application got of the request with that path, and the connection that it came on. */
function receivedOn(path: string) {
  const connection = bench.application.connections.find(({ text }) => text.includes(` ${path}`));
  const { text } = connection ?? { text: '' };
  return { connection, text: text.slice(text.search(RegExp(`[A-Z]+ ${path}`))) };
}

/** Gives the octets, and a whole request behind them; resolves with all that the client gets. */
async function provoke(octets: string, way: Way): Promise<string> {
  using client = await bench.dial(way);
  const smuggled = smuggle();
  await give(client, octets + smuggled.octets, way);
  // A second answer is one too many.
  const answers = () => client.text.match(/HTTP\/1\.1 \d/g)?.length ?? 0;
  await until(() => client.ended || client.closed || answers() > 1, { what: () => `the end after ${client.text}` });
  expect(smuggled.came()).toBe(false);
  return client.text;
}

type Refused = { readonly status: number; readonly reason: string };

/** One answer, that the connection ends, and why. */
function expectRefusal(answer: string, { status, reason }: Refused): void {
  expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual([`HTTP/1.1 ${status}`]);
  expect(answer).toContain('\r\nConnection: close\r\n');
  expect(answer).toContain('\r\nContent-Type: application/problem+json\r\n');
  expect(problemOf(answer)).toMatchObject({ status, code: 'PROXY_REQUEST_REFUSED', reason });
}

/** What was right of a body may have been under way: then that connection ends with it. */
async function expectCutOff(path: string): Promise<void> {
  await receivedOn(path).connection?.untilEnd();
  expect(receivedOn(path).text).not.toMatch(/\r\n0\r\n/);
}

describe.each(ways)('$name', (way) => {
  test.each(hostile)('row $row: $name: $status $reason, and the application hears nothing', async (each) => {
    const before = [heard(), connected()];
    expectRefusal(await provoke(each.head, way), each);
    expect([heard(), connected()]).toEqual(before);
  });

  test.each(badBodies)('row $row: $name: $status $reason, and the application gets no whole body', async (each) => {
    const path = ownPath();
    expectRefusal(await provoke(chunkedHead(path) + each.body, way), each);
    await expectCutOff(path);
  });

  test.each(tolerated)(
    'row $row: $name: served, and what the application gets of it',
    async ({ request, received }) => {
      const path = ownPath();
      const named = (text: string) => text.replace(/(?<=^[A-Z]+ (http:\/\/\w+:80)?)\//, path);
      using client = await bench.dial(way);
      await give(client, named(request), way);
      expect(await client.until(/ok$/)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(withoutOwn(receivedOn(path).text)).toBe(named(received));
    },
  );

  test.each([
    ['announced', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n'],
    [
      'announced to one who waits for permission',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\nExpect: 100-continue\r\n\r\n',
    ],
  ])('row 24: a body beyond the limit, %s, is refused before it is read', async (_, head) => {
    const before = [heard(), connected()];
    expectRefusal(await provoke(head, way), { status: 413, reason: 'body_length' });
    expect([heard(), connected()]).toEqual(before);
  });

  test('row 24: a body beyond the limit in chunks is refused where it exceeds it', async () => {
    const path = ownPath();
    using client = await bench.dial(way);
    client.send(`${chunkedHead(path)}10000\r\n${'x'.repeat(65_536)}\r\n`);
    const smuggled = smuggle();
    await give(client, `1\r\nx\r\n0\r\n\r\n${smuggled.octets}`, way);
    expectRefusal(await client.untilEnd(), { status: 413, reason: 'body_length' });
    await expectCutOff(path);
    expect(smuggled.came()).toBe(false);
  });

  test('row 30: who waits for permission gets it once, then the answer', async () => {
    using client = await bench.dial(way);
    await give(client, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n', way);
    await client.until('HTTP/1.1 100 Continue\r\n\r\n');
    await give(client, 'hello', way);
    const text = await client.until(/ok$/);
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 200']);
    for (const connection of bench.application.connections) expect(connection.text).not.toMatch(/expect:/i);
  });

  test('row 32: octets after a body of length 0 are the next request, and refused', async () => {
    using client = await bench.dial(way);
    const smuggled = smuggle();
    await give(client, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n\x01${smuggled.octets}`, way);
    const answer = await client.untilEnd();
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
    expect(answer).toContain('"reason":"request_line"');
    expect(smuggled.came()).toBe(false);
  });

  test('each refusal is counted by its reason', async () => {
    const proxy = bench.proxyOf(way);
    const refused = () => proxy.metric('refusals_total{reason="ambiguous_length"}');
    const before = await refused();
    const contradictory = hostile.filter(({ reason }) => reason === 'ambiguous_length');
    for (const { head } of contradictory) await provoke(head, way);
    expect(contradictory.length).toBeGreaterThan(0);
    expect(await refused()).toBe(before + contradictory.length);
  });

  test('and good clients are still served', async () => {
    using client = await bench.dial(way);
    await give(client, get, way);
    await client.until(/ok$/);
    await until(async () => (await bench.proxyOf(way).metric('open_connections{state="active"}')) === 0);
  });
});

test('row 36: plain HTTP on the port of HTTPS is told so', async () => {
  const secure = bench.proxyOf({ tls: true });
  for (const way of ways.filter(({ tls }) => !tls)) {
    const before = [heard(), connected()];
    using client = await dial(secure.port);
    await give(client, get, way);
    expectRefusal(await client.untilEnd(), { status: 400, reason: 'plain_http' });
    expect([heard(), connected()]).toEqual(before);
  }
});
