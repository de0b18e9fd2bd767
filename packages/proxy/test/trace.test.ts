import { expect, test } from 'vitest';
import { RequestHead } from '../src/http/request-head.ts';
import { isTraced, makeTraceparent } from '../src/trace.ts';
import { H2Client } from './http2/start.ts';
import { always, ask, ok, RawApplication } from './raw.ts';
import { startProxy } from './start-proxy.ts';

const trace = '0af7651916cd43dd8448eb211c80319c';
const span = 'b7ad6b7169203331';
const given = `00-${trace}-${span}-01`;

function traced(...lines: string[]): boolean {
  const octets = Buffer.from(
    `GET / HTTP/1.1\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`,
    'latin1',
  );
  const head = new RequestHead();
  expect(head.read(octets, 0, { end: octets.length, most: 32_768 })).toBe(octets.length);
  return isTraced(octets, head);
}

test.each([
  ['as the standard has it', given, true],
  ['of a later version that goes on', `01-${trace}-${span}-01-what-comes`, true],
  ['of a later version that ends there', `cc-${trace}-${span}-00`, true],
  ['of version 00 that goes on', `${given}-more`, false],
  ['of a later version that goes on without a hyphen', `01-${trace}-${span}-01more`, false],
  ['of version ff', `ff-${trace}-${span}-01`, false],
  ['with a trace of zeros', `00-${'0'.repeat(32)}-${span}-01`, false],
  ['with a span of zeros', `00-${trace}-${'0'.repeat(16)}-01`, false],
  ['in upper case', given.toUpperCase(), false],
  ['that is too short', given.slice(0, -1), false],
  ['with a trace that is too long', `00-${trace}0-${span}-01`, false],
  ['with something before it', `x${given}`, false],
  ['with a space in it', `00-${trace}-${span} -01`, false],
  ['that is two in one', `${given},${given}`, false],
  ['that is empty', '', false],
])('one %s', (_, value, good) => {
  expect(traced(`traceparent: ${value}`)).toBe(good);
});

test('white space around it, and the case of the name, make no difference', () => {
  expect(traced(`TraceParent:\t ${given} \t`)).toBe(true);
});

test('two are none, nor is one in another spelling', () => {
  expect(traced(`traceparent: ${given}`, `Traceparent: ${given}`)).toBe(false);
  expect(traced()).toBe(false);
  expect(traced(`trace_parent: ${given}`)).toBe(false);
});

test('those that are made are all different, well formed and not sampled', () => {
  const lines = Array.from({ length: 2000 }, () => makeTraceparent());
  for (const line of lines) {
    expect(line).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(traced(`traceparent: ${line}`)).toBe(true);
  }
  const part = (at: number) => new Set(lines.map((line) => line.split('-')[at])).size;
  expect([part(1), part(2)]).toEqual([2000, 2000]);
});

const header = (application: RawApplication, name: string) =>
  application.connections.flatMap(({ text }) => text.match(new RegExp(`(?<=\r\n${name}: )[^\r\n]*`, 'gi')) ?? []);

test('a request without one gets one where that is asked for, over HTTP/1 and HTTP/2; one that is there stays', async () => {
  await using application = await RawApplication.open(always(ok));
  await using proxy = await startProxy({ upstream: application.url, tls: true, flags: ['--traceparent', 'make'] });
  using client = await H2Client.open(proxy.port);
  await client.get('/');
  await client.get('/');
  const made = header(application, 'traceparent');
  expect(made).toEqual(Array(2).fill(expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)));
  expect(made[0]).not.toBe(made[1]);
  application.become(always(ok));
  await client.get('/', { traceparent: given, tracestate: 'a=1' });
  expect(header(application, 'traceparent')).toEqual([given]);
  expect(header(application, 'tracestate')).toEqual(['a=1']);
});

test('one that cannot be read is replaced, and its state goes with it', async () => {
  await using application = await RawApplication.open(always(ok));
  await using proxy = await startProxy({ upstream: application.url, flags: ['--traceparent', 'make'] });
  const send = (...fields: string[]) =>
    ask(proxy.port, ['GET / HTTP/1.1', 'Host: a', 'Connection: close', ...fields, '', ''].join('\r\n'));
  for (const fields of [
    ['traceparent: 00-evil-01', 'tracestate: a=1'],
    [`traceparent: ${given}`, `traceparent: ${given}`, 'TraceState: a=1', 'tracestate: b=2'],
  ]) {
    application.become(always(ok));
    await send(...fields);
    expect(header(application, 'traceparent')).toEqual([expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)]);
    expect(header(application, 'traceparent')).not.toContain(given);
    expect(header(application, 'tracestate')).toEqual([]);
  }
});

test('otherwise whatever there is is passed on', async () => {
  await using application = await RawApplication.open(always(ok));
  await using proxy = await startProxy({ upstream: application.url });
  await ask(proxy.port, 'GET / HTTP/1.0\r\ntraceparent: odd\r\ntracestate: a=1\r\n\r\n');
  expect(header(application, 'traceparent')).toEqual(['odd']);
  expect(header(application, 'tracestate')).toEqual(['a=1']);
  application.become(always(ok));
  await ask(proxy.port, 'GET / HTTP/1.0\r\n\r\n');
  expect(header(application, 'traceparent')).toEqual([]);
});
