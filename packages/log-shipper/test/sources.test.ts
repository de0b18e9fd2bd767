// Sources that are pushed to, through the queue on disk to the sinks; and several sources at once.

import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { freePort, startPeer, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { Receiver } from './receiver.ts';
import { argumentsFor, ledgerOf, main, metric, sequence, text, toForward, workplace } from './shipper.ts';

const post = (address: string, body: string) =>
  fetch(`http://${address}/v1/logs`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body });

test('what is pushed over HTTP is shipped beside what is read from files, and the ledger adds up', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  const address = `127.0.0.1:${await freePort()}`;
  await using shipper = await place.ship([
    ...toForward(receiver.address),
    ...['--source', 'file', '--source', 'http', '--source-http-address', address],
  ]);
  await place.append('from a file\n');
  expect((await post(address, '{"log":"pushed","n":1}\n')).status).toBe(200);
  await receiver.hasAll(['from a file', 'pushed']);
  await until(async () => (await ledgerOf(shipper)).sinks[0]?.lag === 0);
  const { sinks, queue } = await ledgerOf(shipper);
  const [sink] = sinks;
  expect(sink!.read).toBe(sink!.delivered);
  expect(queue!.sinks.forward).toMatchObject({ unread: 0, buffered: 0, dead: 0, dropped: {}, skipped: 0 });
  expect(queue!.sinks.forward!.delivered).toBe(queue!.sinks.forward!.total);
  expect(await metric(shipper, 'received_records_total{source="http",result="safe"}')).toBe(1);
});

test('what was accepted is shipped after kill -9, though the receiver was never there', async () => {
  await using place = await workplace();
  const [address, port] = [`127.0.0.1:${await freePort()}`, await freePort()];
  const args = [...toForward(`127.0.0.1:${port}`), '--source', 'http', '--source-http-address', address];
  const accepted = sequence(1, 50);
  {
    await using shipper = await place.ship(args);
    for (const log of accepted) expect((await post(address, `${JSON.stringify({ log })}\n`)).status).toBe(200);
    shipper.kill('SIGKILL');
    await shipper.exited;
  }
  await using receiver = await Receiver.listen({ port });
  await using shipper = await place.ship(args);
  await receiver.hasAll(accepted);
  await until(async () => (await ledgerOf(shipper)).sinks[0]?.lag === 0);
  expect(receiver.lines).toEqual(accepted);
});

test('told to stop, it delivers what was pushed', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  const port = await freePort();
  const args = [...toForward(receiver.address), '--source', 'tcp', '--source-tcp-address', `127.0.0.1:${port}`];
  await using shipper = await place.ship(args);
  const socket = connect(port, '127.0.0.1');
  const lines = sequence(1, 5000);
  socket.end(text(lines));
  await until(async () => (await metric(shipper, 'received_records_total{source="tcp",result="safe"}')) > 0);
  shipper.kill('SIGTERM');
  expect(await shipper.exited).toEqual({ code: 0, signal: null });
  expect(receiver.lines).toEqual(lines);
});

test('at the end of standard input it delivers all of it and ends', async () => {
  await using place = await workplace();
  const args = argumentsFor(place.path, ['--source', 'stdin', '--admin-address', '127.0.0.1:0']);
  await using peer = await startPeer(process.execPath, [fileURLToPath(main), ...args], { input: true });
  peer.process.stdin!.end(text(sequence(1, 20_000)));
  expect(await peer.exited).toEqual({ code: 0, signal: null });
  expect(peer.stdout).toBe(text(sequence(1, 20_000)).replace(/.+/g, (log) => JSON.stringify({ log })));
});

test('lines of a container are shipped with time, stream and what their path says, pieces joined', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  const directory = 'pods/shop_web-0_0123-45/app';
  const { mkdir } = await import('node:fs/promises');
  await mkdir(place.log(directory), { recursive: true });
  await place.append(
    [
      '2026-11-20T10:00:00.000000001Z stdout F one',
      '2026-11-20T10:00:01.000000002Z stdout P two, ',
      '2026-11-20T10:00:01.500000000Z stderr F oops',
      '2026-11-20T10:00:02.000000003Z stdout F in pieces',
      '',
    ].join('\n'),
    `${directory}/0.log`,
  );
  const paths = ['--source', 'cri', '--source-cri-paths', place.log('pods/*/*/*.log')];
  await using _shipper = await place.ship([...toForward(receiver.address), ...paths]);
  await receiver.hasAll(['one', 'two, in pieces', 'oops']);
  const kubernetes = {
    ...{ namespace_name: 'shop', pod_name: 'web-0', pod_id: '0123-45', container_name: 'app', restarts: 0 },
  };
  expect(receiver.received.find(({ record }) => record.log === 'one')).toMatchObject({
    time: { epoch: 1_795_168_800, nano: 1 },
    record: { log: 'one', stream: 'stdout', kubernetes },
  });
  expect(receiver.received.find(({ record }) => record.log === 'oops')).toMatchObject({ record: { stream: 'stderr' } });
});

test('a stack trace is one record, also when its last line is the last of the file', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  await using _shipper = await place.ship([
    ...toForward(receiver.address),
    '--multiline',
    'java',
    '--join-timeout',
    '100ms',
  ]);
  const trace = 'java.lang.IllegalStateException: no\n\tat com.example.A.b(A.java:1)\n\tat com.example.C.d(C.java:2)';
  await place.append(`before\n${trace}\n`);
  await receiver.hasAll(['before', trace]);
  expect(receiver.lines).toEqual(['before', trace]);
});

test('lines from Windows have no carriage return where that is asked for, of files and of what is pushed', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  const address = `127.0.0.1:${await freePort()}`;
  await place.append('one\r\ntwo\n');
  const args = [...toForward(receiver.address), '--source', 'file', '--source', 'tcp', '--source-tcp-address', address];
  await using shipper = await place.ship([...args, '--strip-carriage-return']);
  const [host, port] = address.split(':');
  connect({ host: host!, port: Number(port) }).end('three\r\nfour\r\n');
  await receiver.hasAll(['one', 'two', 'three', 'four']);
  await until(async () => (await ledgerOf(shipper)).sinks[0]?.lag === 0);
  expect((await ledgerOf(shipper)).files).toMatchObject([{ acknowledged: 9 }]);
  expect(receiver.lines.length).toBe(4);
});

test('time and level of JSON lines are what they say', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  await using _shipper = await place.ship([...toForward(receiver.address), '--parser', 'json']);
  await place.append('{"time":"2026-11-20T10:00:00.123456789Z","level":"error","log":"x"}\n');
  await receiver.hasAll(['x']);
  expect(receiver.received[0]).toMatchObject({ time: { epoch: 1_795_168_800, nano: 123_456_789 } });
});

test('a sink gets what its route lets through, without secrets, and what it does not get is accounted for', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  const lines = [
    '{"level":"info","log":"quiet"}',
    '{"level":"error","log":"loud","url":"https://bob:hunter2@example.com/"}',
    '',
  ].join('\n');
  await place.append(lines);
  await using shipper = await place.ship([
    ...toForward(receiver.address),
    ...['--sink', 'stdout', '--sink-stdout-encoding', 'json', '--parser', 'json', '--transform', 'redact'],
    ...['--route', 'forward=level>=warn'],
  ]);
  await receiver.hasAll(['loud']);
  await until(() => shipper.stdout.split('\n').length === 3);
  expect(receiver.lines).toEqual(['loud']);
  expect(JSON.stringify(receiver.received) + shipper.stdout).not.toContain('hunter2');
  await until(async () => (await ledgerOf(shipper)).sinks.every(({ lag }) => lag === 0));
  const [forward, stdout] = (await ledgerOf(shipper)).sinks;
  const route = lines.indexOf('\n') + 1;
  expect(forward).toMatchObject({ delivered: lines.length - route, dropped: { route }, skipped: 0 });
  expect(stdout).toMatchObject({ delivered: lines.length, dropped: {}, skipped: 0 });
  expect(await metric(shipper, 'dropped_bytes_total{sink="forward",reason="route"}')).toBe(route);
});

test('all of a file may be dropped: nothing is sent, and it is done with', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  await place.append(text(sequence(1, 1000)));
  const transform = ['--transform', 'filter', '--transform-filter-drop', 'line~^line'];
  await using shipper = await place.ship([...toForward(receiver.address), ...transform]);
  await until(async () => (await ledgerOf(shipper)).sinks[0]?.dropped.filter === text(sequence(1, 1000)).length);
  expect((await ledgerOf(shipper)).sinks).toMatchObject([{ lag: 0, delivered: 0, skipped: 0 }]);
  expect(receiver.connections).toBe(0);
});

test('a route to a sink that is not there, and one that makes no sense, are refused at once', async () => {
  await using place = await workplace();
  const args = ['--check', '--route', 'forward=level>=warn', '--route', 'stdout=level>>3', '--time-zone', 'Nowhere'];
  args.push('--multiline-start', '^a', '--multiline-continuation', '^ ');
  await using peer = await startPeer(process.execPath, [fileURLToPath(main), ...argumentsFor(place.path, args)]);
  expect((await peer.exited).code).toBe(64);
  expect(peer.stderr).toMatch(/--route.*there is no sink forward, but stdout/);
  expect(peer.stderr).toMatch(/--route.*column/);
  expect(peer.stderr).toMatch(/--time-zone.*Nowhere/);
  expect(peer.stderr).toMatch(/--multiline-continuation.*only one of/);
});

const unusable: [string[], RegExp][] = [
  [['forward'], /--sink-forward-address .*either an address or a Unix socket/],
  [
    ['loki', '--sink-loki-url', 'http://127.0.0.1:1', '--sink-loki-labels', 'no-name=x'],
    /--sink-loki-labels .*"no-name": letters/,
  ],
];

test.each(unusable)('a sink that cannot be opened with what it is given is refused at once: %s', async (args, said) => {
  await using place = await workplace();
  for (const checking of [['--check'], []]) {
    const all = argumentsFor(place.path, [...checking, '--sink', ...args]);
    await using peer = await startPeer(process.execPath, [fileURLToPath(main), ...all]);
    expect((await peer.exited).code).toBe(64);
    expect(peer.stderr).toMatch(said);
  }
});
