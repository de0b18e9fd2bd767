// `proxy doctor` in front of applications with one habit each: what it finds, and what it advises.

import { once } from 'node:events';
import { createServer as createHttp2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { parseDuration, resolveParameters } from '@outrigger/core';
import { freePort, scratch } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { parameters } from '../../src/parameters.ts';
import { httpApplication } from '../http-application.ts';
import { examine } from './examine.ts';
import { application, type Habits } from './habits.ts';

/** Of an application that does everything as it should. */
const sound = {
  http: 'http/1.1',
  'response-length': 'length',
  h2c: 'no',
  'header-case': 'any',
  'head-size': '32KiB',
  'absolute-form': 'understood',
  'http-1.0': 'answered',
  head: 'without-body',
  'get-length': 'read',
  'get-chunked': 'read',
  expect: 'answered',
  pipelining: 'answered',
  'half-close': 'answered',
  'connection-close': 'honoured',
  'extra-octets': 'none',
  'keep-alive': 'kept',
  'idle-time': 'open',
  'second-connection': 'served',
};

test.concurrent('an application without bad habits: nothing is advised', async () => {
  await using app = await application({});
  const report = await examine(app.url);
  expect(report.outcomes).toEqual(sound);
  expect(report.served).toBe(true);
  expect(report.findings.filter(({ advice }) => advice)).toEqual([]);
  expect(report.flags).toEqual(['--upstream', app.url, '--upstream-idle-timeout', '120ms']);
  expect(app.connections).toBe(19);
  // The preface of HTTP/2 looks like a request.
  expect(new Set(app.requests.map((line) => line.split(' ')[0]))).toEqual(new Set(['GET', 'HEAD', 'PRI']));
});

test.concurrent('POST is sent where it is allowed, to that path alone', async () => {
  await using app = await application({});
  const report = await examine(app.url, '--probe-post', '/echo');
  expect(report.outcomes).toEqual({ ...sound, 'post-length': 'read', 'post-chunked': 'read' });
  expect(new Set(app.requests.filter((line) => line.startsWith('POST')))).toEqual(new Set(['POST /echo HTTP/1.1']));
});

const idle = ['--upstream-idle-timeout', '120ms'];
const never = ['--upstream-idle-timeout', '0'];
const misread = { outcome: 'misread', advice: expect.stringContaining('takes a body for another request') };

/** A habit, what of `sound` it changes, the finding in full, and what follows behind --upstream. */
const habits: readonly [string, Habits, Readonly<Record<string, string>>, object, readonly string[]][] = [
  [
    'says Connection: close with each response',
    { closes: 'said' },
    { 'keep-alive': 'closes', 'get-length': 'closes', 'get-chunked': 'closes', pipelining: 'first-only' },
    { id: 'keep-alive', evidence: 'it says Connection: close', advice: 'Each request costs a connection of its own' },
    [],
  ],
  [
    'closes after each response and does not say so',
    { closes: 'unsaid' },
    { 'keep-alive': 'closes-unsaid', 'get-length': 'closes', 'get-chunked': 'closes', pipelining: 'first-only' },
    { id: 'keep-alive', evidence: 'it closed without Connection: close' },
    never,
  ],
  [
    'answers HTTP/1.0',
    { version: '1.0' },
    {
      http: 'http/1.0',
      'keep-alive': 'closes',
      'get-length': 'closes',
      'get-chunked': 'closes',
      pipelining: 'first-only',
    },
    { id: 'keep-alive', evidence: 'HTTP/1.0 without Connection: keep-alive' },
    [],
  ],
  [
    'ends its responses with the connection',
    { untilClose: true },
    {
      'response-length': 'until-close',
      'keep-alive': 'closes',
      'get-length': 'closes',
      'get-chunked': 'closes',
      pipelining: 'first-only',
    },
    { id: 'response-length', advice: 'A response that was cut off looks whole; have it send Content-Length' },
    [],
  ],
  [
    'promises two minutes',
    { fields: 'Keep-Alive: timeout=120\r\n' },
    {},
    { id: 'idle-time', outcome: 'open', evidence: 'still open after 200ms; it says Keep-Alive: timeout=120' },
    idle,
  ],
  [
    'sends two octets more than it said',
    { extra: '\r\n' },
    {
      'extra-octets': 'more-than-said',
      'get-length': 'misread',
      'get-chunked': 'misread',
      head: 'with-body',
      pipelining: 'first-only',
    },
    { id: 'extra-octets', evidence: '"\\r\\n" after the response' },
    never,
  ],
  [
    'sends two responses to one request',
    { extra: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n' },
    { 'extra-octets': 'second-response', 'get-length': 'misread', 'get-chunked': 'misread', head: 'with-body' },
    { id: 'extra-octets', evidence: '"HTTP/1.1 200 OK\\r\\nContent..." after the response' },
    never,
  ],
  [
    'does not read bodies',
    { bodies: 'unread', chunked: 'unread', expect: 'ignored' },
    { 'get-length': 'misread', 'get-chunked': 'misread', expect: 'final' },
    { id: 'get-length', ...misread, evidence: 'the next request got 400' },
    never,
  ],
  [
    'does not read chunked bodies',
    { chunked: 'unread' },
    { 'get-chunked': 'misread' },
    { id: 'get-chunked', ...misread, evidence: '"HTTP/1.1 400 No\\r\\nContent..." after the response' },
    never,
  ],
  [
    'refuses chunked bodies',
    { chunked: '411' },
    { 'get-chunked': 'refused' },
    { id: 'get-chunked', evidence: '411' },
    idle,
  ],
  [
    'waits for a Content-Length that chunked bodies have not',
    { chunked: 'waited-for' },
    { 'get-chunked': 'unanswered' },
    { id: 'get-chunked', evidence: 'no answer within 1s' },
    idle,
  ],
  [
    'drops connections with a body',
    { bodies: 'dropped' },
    { 'get-length': 'unanswered' },
    { id: 'get-length', evidence: 'a close without an answer' },
    idle,
  ],
  [
    'ignores Expect',
    { expect: 'ignored' },
    { expect: 'ignored' },
    { id: 'expect', evidence: 'no answer within 1s, 200 once the body was sent' },
    idle,
  ],
  [
    'refuses Expect',
    { expect: 'refused' },
    { expect: 'refused' },
    { id: 'expect', evidence: '417 without waiting for the body' },
    idle,
  ],
  [
    'is killed by FIN',
    { dropsOnEnd: true },
    { 'half-close': 'dropped' },
    { id: 'half-close', evidence: "a close without an answer after the client's end" },
    idle,
  ],
  [
    'knows Title-Case names alone',
    { spelling: 'Title-Case' },
    { 'header-case': 'Title-Case' },
    { id: 'header-case', evidence: '400 to "host:"' },
    idle,
  ],
  [
    'knows lower-case names alone',
    { spelling: 'lower-case' },
    { 'header-case': 'lower-case' },
    { id: 'header-case', evidence: 'only with names in lower case it answers well' },
    idle,
  ],
  [
    'takes heads of 16 KiB',
    { headLimit: 16_384 },
    { 'head-size': '16KiB' },
    { id: 'head-size', evidence: '431 to a head of 32KiB' },
    [...idle, '--head-limit', '15KiB'],
  ],
  [
    'takes heads of 2 KiB',
    { headLimit: 2048 },
    { 'head-size': 'less than 4KiB' },
    { id: 'head-size', advice: 'Requests with cookies may fail' },
    idle,
  ],
  [
    'sends a body in response to HEAD',
    { headBody: true },
    { head: 'with-body' },
    { id: 'head', evidence: '200, then "ok"' },
    idle,
  ],
  [
    'serves one connection at a time',
    { serial: true },
    { 'second-connection': 'blocked' },
    { id: 'second-connection', evidence: 'no answer within 1s while the first was idle' },
    never,
  ],
  [
    'forgets what came behind a request',
    { forgetful: true },
    { pipelining: 'first-only' },
    { id: 'pipelining', evidence: '200, then no answer within 1s' },
    idle,
  ],
  [
    'ignores Connection: close',
    { ignoresClose: true },
    { 'connection-close': 'ignored' },
    { id: 'connection-close', evidence: '200, and the connection stays open' },
    idle,
  ],
  [
    'refuses targets in absolute form',
    { refusesAbsolute: true },
    { 'absolute-form': 'refused' },
    { id: 'absolute-form', evidence: expect.stringMatching(/^400 to GET http:\/\/127\.0\.0\.1:\d+\/$/) },
    idle,
  ],
  [
    'speaks HTTP/2 as well',
    { h2c: true },
    { h2c: 'spoken' },
    { id: 'h2c', advice: expect.stringMatching(/^For gRPC say --upstream h2c:\/\/127\.0\.0\.1:\d+$/) },
    idle,
  ],
];

test.concurrent.each(habits)('an application that %s', async (_name, habit, changed, finding, flags) => {
  await using app = await application(habit);
  const report = await examine(app.url, '--timeout', '1s');
  const gone = 'keep-alive' in changed ? ['idle-time', 'second-connection'] : [];
  if ('extra-octets' in changed) gone.push('keep-alive', 'idle-time', 'second-connection');
  const wanted = Object.entries({ ...sound, ...changed }).filter(([id]) => !gone.includes(id) || id in changed);
  expect(report.outcomes).toEqual(Object.fromEntries(wanted));
  expect(report.finding((finding as { id: string }).id)).toMatchObject(finding);
  expect(report.flags).toEqual(['--upstream', app.url, ...flags]);
  expect(report.served).toBe(true);
});

const farewell = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n';

test.concurrent.each([
  ['with nothing but a FIN', { keeps: 1_500 }, undefined],
  ['after a 408', { keeps: 1_500, farewell }, '"HTTP/1.1 408 Request Tim..." on the idle connection'],
])('when an idle connection is closed %s is learned, and the proxy told to be quicker', async (_name, habit, said) => {
  await using app = await application(habit);
  const report = await examine(app.url, '--patience', '20s');
  const idleOctets = said && { 'idle-octets': 'sent' };
  expect(report.outcomes).toEqual({ ...sound, 'idle-time': 'closes', ...idleOctets });
  if (said) expect(report.finding('idle-octets').evidence).toBe(said);
  const [, told = ''] = /^closed after (\S+)$/.exec(report.finding('idle-time').evidence) ?? [];
  const after = parseDuration(told);
  // Told in two digits.
  expect(after).toBeGreaterThanOrEqual(1_400);
  const [, , flag, timeout = ''] = report.flags;
  expect(flag).toBe('--upstream-idle-timeout');
  expect(parseDuration(timeout)).toBeLessThan(after);
  expect(parseDuration(timeout)).toBeGreaterThanOrEqual(840);
});

const ways: readonly [string, Habits, object, boolean, readonly string[]][] = [
  [
    'another protocol that speaks first',
    { banner: 'SSH-2.0-OpenSSH_10.0\r\n' },
    { outcome: 'other-protocol', evidence: 'it says "SSH-2.0-OpenSSH_10.0\\r\\n"' },
    true,
    ['--mode', 'tcp'],
  ],
  ['TLS', { answers: '\x15\x03\x03\x00\x02\x02\x0a' }, { outcome: 'tls' }, true, ['--mode', 'tcp']],
  [
    'a hint at HTTPS',
    {
      answers: 'HTTP/1.0 400 Bad Request\r\nConnection: close\r\n\r\nClient sent an HTTP request to an HTTPS server.\n',
    },
    { outcome: 'tls' },
    true,
    ['--mode', 'tcp'],
  ],
  [
    'HTTP that the proxy refuses',
    { answers: 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok' },
    { outcome: 'malformed', evidence: 'not HTTP as the proxy accepts it (A line ends with LF alone)' },
    true,
    ['--mode', 'tcp'],
  ],
  [
    'with chunks that are none',
    { answers: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nok' },
    { outcome: 'malformed', evidence: 'not HTTP as the proxy accepts it (The chunked body is malformed)' },
    true,
    ['--mode', 'tcp'],
  ],
  [
    'less than it said',
    { answers: 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok' },
    { outcome: 'cut-short', evidence: 'a close after 40 octets' },
    true,
    ['--mode', 'tcp'],
  ],
  [
    'HTTP/1.0 alone',
    { version: '1.0', onlyOld: true },
    { outcome: 'http/1.0-only', evidence: '200 to HTTP/1.0, 505 to HTTP/1.1' },
    true,
    ['--mode', 'tcp'],
  ],
  ['nothing, and closes', { answers: '' }, { outcome: 'closed', evidence: 'a close without an answer' }, false, []],
  ['nothing at all', { silent: true }, { outcome: 'silent', evidence: 'no answer within 1s' }, false, []],
  [
    'without end',
    { banner: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n', silent: true },
    { outcome: 'endless', evidence: 'an incomplete answer within 1s' },
    true,
    [],
  ],
];

test.concurrent.each(ways)('an application that answers %s', async (_name, habit, finding, served, mode) => {
  await using app = await application(habit);
  const report = await examine(app.url, '--timeout', '1s');
  expect(report.finding('http')).toMatchObject(finding);
  expect(report.served).toBe(served);
  expect(Object.keys(report.outcomes)).toEqual(['http', 'h2c']);
  const upstream = mode.length > 0 ? app.url.replace('http:', 'tcp:') : app.url;
  expect(report.flags).toEqual([...mode, '--upstream', upstream]);
});

test.concurrent('an application that speaks HTTP/2 alone is served by h2c', async () => {
  const server = createHttp2((_, response) => response.end('ok')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const report = await examine(`http://${address}`, '--timeout', '1s');
  server.close();
  expect(report.finding('h2c')).toMatchObject({ outcome: 'spoken', advice: 'It speaks HTTP/2 alone' });
  expect(report.served).toBe(true);
  expect(report.flags).toEqual(['--upstream', `h2c://${address}`]);
});

test.concurrent('an application that is not there', async () => {
  const port = await freePort();
  const report = await examine(`http://127.0.0.1:${port}`);
  expect(report.findings).toEqual([
    {
      id: 'http',
      outcome: 'unreachable',
      evidence: `connect ECONNREFUSED 127.0.0.1:${port}`,
      advice: 'Is it running, and does it listen there?',
    },
  ]);
  expect(report.served).toBe(false);
});

test.concurrent('an application behind a Unix socket, at the path behind its colon', async () => {
  await using directory = await scratch();
  await using app = await application({ h2c: true }, { path: directory.join('app.sock') });
  const report = await examine(`${app.url}:/status`);
  expect(report.outcomes).toEqual({ ...sound, h2c: 'spoken' });
  expect(report.finding('h2c').advice).toBe('HTTP/2 is spoken over TCP alone by the proxy');
  expect(report.flags).toEqual(['--upstream', app.url, '--upstream-idle-timeout', '120ms']);
  expect(new Set(app.requests.map((line) => line.split(' ')[1]))).toEqual(
    new Set(['/status', 'http://localhost/status']),
  );
});

test.concurrent('node:http', async () => {
  await using app = await httpApplication((request, response) => {
    request.resume();
    response.end('ok');
  });
  const report = await examine(app.url, '--probe-post', '/');
  expect(report.outcomes).toEqual({
    ...sound,
    'head-size': '16KiB',
    'post-length': 'read',
    'post-chunked': 'read',
  });
  expect(report.finding('idle-time').evidence).toBe('still open after 200ms; it says Keep-Alive: timeout=5');
  expect(report.finding('head-size').evidence).toBe('431 to a head of 32KiB');
});

test('each flag that is suggested is one of the proxy', () => {
  const argv = ['--mode', 'tcp', '--upstream', 'tcp://127.0.0.1:1', ...never, '--head-limit', '15KiB'];
  const { problems } = resolveParameters(parameters, {
    argv: [...argv, '--allow-plain-upstream', 'true'],
    env: {},
    checkFiles: false,
  });
  expect(problems).toEqual([]);
});
