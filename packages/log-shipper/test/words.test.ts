// What the program does instead of running.

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { freePort, makeCertificate, scratch, startPeer, writeCertificate } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { DeadLetters } from '../src/dead/dead-letters.ts';
import { Receiver } from './receiver.ts';
import { main } from './shipper.ts';

/** Runs a word to its end with this on its standard input. */
async function word(args: readonly string[], input = '', env: Readonly<Record<string, string>> = {}) {
  await using peer = await startPeer(process.execPath, [fileURLToPath(main), ...args], {
    input: true,
    env: { ...process.env, ...env },
  });
  peer.process.stdin!.end(input);
  const { code } = await peer.exited;
  return { code, stdout: peer.stdout, stderr: peer.stderr };
}

test('render prints what a sink would send, with what the pipeline adds, and connects to nobody', async () => {
  await using receiver = await Receiver.listen();
  const sinks = ['--sink', 'stdout', '--sink-stdout-encoding', 'json', '--fields', 'service=billing'];
  const said = await word(['render', ...sinks], 'one\ntwo\n');
  expect(said).toEqual({
    code: 0,
    stdout: '{"log":"one","service":"billing"}\n{"log":"two","service":"billing"}\n',
    stderr: '',
  });
  const forward = await word(['render', '--sink', 'forward', '--sink-forward-address', receiver.address], 'one\n');
  expect(forward).toMatchObject({ code: 0, stdout: expect.stringMatching(/outrigger.*log.*one.*chunk/s) });
  expect(receiver.connections).toBe(0);
});

test('render shows what goes to receivers that never answer, and what follows a handshake; it sends nothing to a socket', async () => {
  await using directory = await scratch();
  await writeFile(directory.join('key'), 'a shared key', { mode: 0o600 });
  const syslog = ['render', '--sink', 'syslog', '--sink-syslog-address', '192.0.2.1:514'];
  expect(await word(syslog, 'one\ntwo\n')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+ <14>1 .* one\d+ <14>1 .* two$/),
  });
  expect(await word([...syslog, '--sink-syslog-transport', 'udp'], 'one\ntwo\n')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^<14>1 .* one\n<14>1 .* two\n$/),
  });
  const forward = ['render', '--sink', 'forward'];
  const secured = [
    '--sink-forward-address',
    '192.0.2.1:24224',
    '--sink-forward-shared-key-file',
    directory.join('key'),
  ];
  expect(await word([...forward, ...secured], 'one\n')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/outrigger.*log.*one/s),
  });
  const path = directory.join('socket');
  const connections: unknown[] = [];
  await using server = createServer((socket) => connections.push(socket.destroy())).listen(path);
  await once(server, 'listening');
  expect(await word([...forward, '--sink-forward-socket-path', path], 'one\n')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/outrigger.*log.*one/s),
  });
  expect(connections).toEqual([]);
});

test('render shows no credentials that a URL or a header holds', async () => {
  const http = ['render', '--sink', 'http', '--sink-http-compression', 'none', '--sink-http-headers', 'Cookie=hush'];
  const { code, stdout, stderr } = await word(
    [...http, '--sink-http-url', 'http://me:hush@logs.example/in?api_key=hush&a%20b=hush&hushhush'],
    '?x=one\n',
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('POST /in?api_key=[redacted]&a%20b=[redacted]&[redacted] HTTP/1.1\n');
  expect(stdout).toMatch(/^Host: logs\.example$/m);
  expect(stdout).toMatch(/^Authorization: \[redacted\]$/im);
  expect(stdout).toMatch(/^Cookie: \[redacted\]$/im);
  expect(stdout).toContain('{"log":"?x=one"}');
  expect(stdout).not.toContain('hush');
  const hec = ['render', '--sink', 'splunk-hec', '--sink-splunk-hec-mode', 'raw', '--sink-splunk-hec-index', 'main'];
  const env = { OUTRIGGER_SINK_SPLUNK_HEC_TOKEN: 'hush', OUTRIGGER_SINK_SPLUNK_HEC_URL: 'https://splunk:8088/?k=hush' };
  const splunk = await word(hec, 'one\n', env);
  expect(splunk.stdout).toContain('POST /services/collector/raw?k=[redacted]&index=main HTTP/1.1\n');
  expect(splunk.stdout).not.toContain('hush');
});

test('check sends one marked record and says that the sink has taken it', async () => {
  await using receiver = await Receiver.listen();
  const { code, stdout } = await word(['check', '--sink', 'forward', '--sink-forward-address', receiver.address]);
  expect(stdout).toMatch(/^forward\n {2}name +ok .*127\.0\.0\.1.*\n {2}connection ok .*\n {2}record +ok +delivered/);
  expect(code).toBe(0);
  expect(receiver.lines).toEqual([expect.stringMatching(/^outrigger log-shipper check \d{4}-/)]);
});

test('check says at which step it fails', async () => {
  const nobody = `127.0.0.1:${await freePort()}`;
  const { code, stdout } = await word(['check', '--sink', 'forward', '--sink-forward-address', nobody]);
  expect(stdout).toMatch(/name +ok .*\n {2}connection failed .*ECONNREFUSED.*\n {2}record +failed/);
  expect(code).toBe(1);
});

test('what a sink finds wrong is named by its parameter, with exit code 64', async () => {
  await using directory = await scratch();
  const message = '(default): either an address or a Unix socket of the receiver is expected';
  const named = (word: string, flag: string) => `log-shipper ${word}: 1 parameter is wrong\n  ${flag}  ${message}\n`;
  for (const [name, flag, ...args] of [
    ['render', '--sink-forward-address', '--sink', 'forward'],
    ['check', '--sink-forward-address', '--sink', 'forward'],
    ['replay', '--to-forward-address', '--to', 'forward', '--state-directory', directory.path],
  ] as const) {
    const said = await word([name, ...args], 'one\n');
    expect(said).toMatchObject({ code: 64, stderr: named(name, flag) });
  }
});

test('a word knows what the Pod tells the shipper: environment and config file, with what only that reads', async () => {
  await using directory = await scratch();
  await using receiver = await Receiver.listen();
  const config = directory.join('config.yaml');
  await writeFile(config, `sink: [forward]\nsourceFilePaths: [/logs/*.log]\nstateDirectory: /nonexistent\n`);
  const env = { OUTRIGGER_CONFIG: config, OUTRIGGER_SINK_FORWARD_ADDRESS: receiver.address };
  const { code, stdout } = await word(['check'], '', env);
  expect(stdout).toMatch(/^forward\n(?:.*\n)+ +record +ok +delivered/);
  expect(code).toBe(0);
  const there = { ...env, OUTRIGGER_STATE_DIRECTORY: directory.path };
  const said = await word(['replay', '--to', 'forward', '--to-forward-address', receiver.address], '', there);
  expect(said).toMatchObject({ code: 0, stderr: '0 dead letters delivered, 0 left, 0 lines that are none\n' });
});

test('check knows a Unix socket, a CA file that means TLS, and that UDP has no connection', async () => {
  await using directory = await scratch();
  await using receiver = await Receiver.listen();
  const path = directory.join('none');
  const unix = await word(['check', '--sink', 'forward', '--sink-forward-socket-path', path]);
  expect(unix.stdout).toMatch(/^forward\n {2}connection failed .*ENOENT.*\n {2}record +failed/);
  const { certificateFile: ca } = await writeCertificate(directory.path, makeCertificate());
  const secured = ['--sink-forward-address', receiver.address, '--sink-forward-ca-file', ca];
  expect((await word(['check', '--sink', 'forward', ...secured])).stdout).toMatch(/connection ok .*\n {2}TLS +failed/);
  const nobody = `127.0.0.1:${await freePort()}`;
  const udp = ['--sink', 'syslog', '--sink-syslog-transport', 'udp', '--sink-syslog-address', nobody];
  const { code, stdout } = await word(['check', ...udp]);
  expect(stdout).toMatch(/^syslog\n {2}name +ok .*\n {2}record +ok +delivered/);
  expect(code).toBe(0);
});

test('replay sends dead letters again, with the times and levels they had, and they are gone', async () => {
  await using directory = await scratch();
  await using receiver = await Receiver.listen();
  const letters = new DeadLetters({ stateDirectory: directory.path, limit: 1 << 20, whenFull: 'block' });
  const source = { path: '/logs/app.log', offset: 0, length: 5, uid: 'uid', time: '2026-11-20T08:00:00.123456789Z' };
  const refused = (log: string) => ({ ...source, level: 17, sink: 'loki', reason: 'too old', fields: { log, n: 1 } });
  await letters.put([refused('one'), refused('two')]);
  const to = ['--to', 'forward', '--to-forward-address', receiver.address];
  const args = ['replay', '--state-directory', directory.path, ...to];
  const none = await word([...args, '--refused-by', 'datadog']);
  expect(none).toMatchObject({ code: 0, stderr: '0 dead letters delivered, 2 left, 0 lines that are none\n' });
  const said = await word([...args, '--refused-by', 'loki']);
  expect(said).toMatchObject({ code: 0, stderr: '2 dead letters delivered, 0 left, 0 lines that are none\n' });
  expect(receiver.received.map(({ record }) => record)).toEqual([
    { log: 'one', n: 1 },
    { log: 'two', n: 1 },
  ]);
  expect(receiver.received[0]!.time).toMatchObject({ epoch: 1_795_161_600, nano: 123_456_789 });
  expect(await word([...args])).toMatchObject({ stderr: '0 dead letters delivered, 0 left, 0 lines that are none\n' });
});

test('what is sent again has the id that it had, unless somebody has put there what is none', async () => {
  await using directory = await scratch();
  const letters = new DeadLetters({ stateDirectory: directory.path, limit: 1 << 20, whenFull: 'block' });
  const source = { path: '/logs/app.log', offset: 0, length: 5, level: 9, time: '2026-11-20T08:00:00Z' };
  const uids = ['abc-1-x', 'abc-9-x', '"}}\n{"delete":{}}'];
  await letters.put(uids.map((uid) => ({ ...source, uid, sink: 'loki', reason: 'too old', fields: { log: 'same' } })));
  const bodies: string[] = [];
  await using server = createHttpServer(async (request, response) => {
    bodies.push(Buffer.concat(await request.toArray()).toString());
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const to = ['--to', 'http', '--to-http-url', url, '--to-http-id-field', 'id'];
  const said = await word(['replay', '--state-directory', directory.path, ...to]);
  expect(said).toMatchObject({ code: 0, stderr: '3 dead letters delivered, 0 left, 0 lines that are none\n' });
  const ids = bodies.flatMap((body) => body.trim().split('\n')).map((line) => (JSON.parse(line) as { id: string }).id);
  expect(ids).toEqual(['abc-1-x', 'abc-9-x', expect.stringMatching(/^sample-[\w-]+$/)]);
});

test('replay leaves the letters where they are when nobody takes them', async () => {
  await using directory = await scratch();
  const letters = new DeadLetters({ stateDirectory: directory.path, limit: 1 << 20, whenFull: 'block' });
  const source = {
    path: '/logs/app.log',
    offset: 0,
    length: 5,
    uid: 'uid',
    time: '2026-11-20T08:00:00.000Z',
    level: 0,
  };
  await letters.put([{ ...source, sink: 'loki', reason: 'too old', fields: { log: 'one' } }]);
  const nobody = `127.0.0.1:${await freePort()}`;
  const to = ['--to', 'forward', '--to-forward-address', nobody, '--patience', '10ms'];
  const { code, stderr } = await word(['replay', '--state-directory', directory.path, ...to]);
  expect(stderr).toMatch(/the letters stay: .*ECONNREFUSED/);
  expect(code).toBe(1);
  expect(await word(['replay', '--state-directory', directory.path])).toMatchObject({
    code: 0,
    stdout: '{"log":"one"}\n',
  });
});
