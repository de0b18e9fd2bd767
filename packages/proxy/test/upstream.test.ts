import { until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { Upstream } from '../src/upstream.ts';
import { RawApplication } from './raw.ts';

/** A connection that was used before and is taken into use again, with what its user and its keeper hear. */
async function reused(application: RawApplication) {
  const heard: string[] = [];
  const hear = (what: string) => () => {
    heard.push(what);
  };
  const user = {
    onUpstreamData: hear('data'),
    onUpstreamConnect: hear('connect'),
    onUpstreamDrain: hear('drain'),
    onUpstreamEnd: hear('end'),
    onUpstreamClose: hear('close'),
  };
  const keeper = {
    onGone: (_: Upstream, unasked: boolean) => {
      heard.push(unasked ? 'unasked' : 'gone');
    },
    onConnected: () => undefined,
    onFailed: hear('failed'),
    // The test says when the events of the turn are over.
    afterPoll: () => undefined,
  };
  const { hostname: host, port } = new URL(application.url);
  const connection = new Upstream({ host, port: Number(port) }, keeper, user);
  await until(() => heard.includes('connect') && application.connections[0]);
  connection.leave();
  connection.use(user);
  heard.length = 0;
  return { connection, heard, peer: application.connections[0]! };
}

test('octets that came before the request left are no response, and the request stays unsent', async () => {
  await using application = await RawApplication.open();
  const { connection, heard, peer } = await reused(application);
  connection.begin(Buffer.from('POST / HTTP/1.1\r\n\r\n'));
  peer.send('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison');
  await until(() => heard.includes('close'));
  expect(heard).toEqual(['unasked', 'gone', 'close']);
  expect(connection.unsent).toBe(true);
  connection.flush();
  expect(peer.text).toBe('');
});

test('an end that came before the request left leaves it unsent', async () => {
  await using application = await RawApplication.open();
  const { connection, heard, peer } = await reused(application);
  connection.begin(Buffer.from('POST / HTTP/1.1\r\n\r\n'));
  peer.socket.end();
  await until(() => heard.includes('end'));
  expect(connection.unsent).toBe(true);
  connection.destroy();
});

test('otherwise the request leaves when the events of the turn are over', async () => {
  await using application = await RawApplication.open();
  const { connection, heard, peer } = await reused(application);
  connection.begin(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  connection.flush();
  await peer.until('GET / HTTP/1.1\r\n\r\n');
  peer.send('HTTP/1.1 200 OK\r\n\r\n');
  await until(() => heard.includes('data'));
  connection.destroy();
});

test('a connection whose peer refuses fails', async () => {
  const application = await RawApplication.open();
  const { hostname: host, port } = new URL(application.url);
  await application[Symbol.asyncDispose]();
  const heard: string[] = [];
  const nothing = () => undefined;
  new Upstream(
    { host, port: Number(port) },
    {
      onGone: nothing,
      onConnected: nothing,
      onFailed: ({ code }) => {
        heard.push(code!);
      },
      afterPoll: nothing,
    },
    {
      onUpstreamData: nothing,
      onUpstreamConnect: nothing,
      onUpstreamDrain: nothing,
      onUpstreamEnd: nothing,
      onUpstreamClose: (error) => {
        heard.push(`closed by ${error?.code}`);
      },
    },
  );
  await until(() => heard.length === 2);
  expect(heard).toEqual(['ECONNREFUSED', 'closed by ECONNREFUSED']);
});
