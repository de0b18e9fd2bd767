import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { check, property, uint8Array } from 'fast-check';
import { expect, test } from 'vitest';
import { MORE, NONE, serverNameIn } from '../../src/tls/client-hello.ts';

/** What a client of OpenSSL says first. */
async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, ...options });
  client.on('error', (error) => expect(error).toBeInstanceOf(Error));
  const [socket] = await once(server, 'connection');
  const [hello] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  server.close();
  return hello;
}

test.each([
  ['with keys of several groups', {}],
  ['of TLS 1.2', { maxVersion: 'TLSv1.2' }],
  ['with many protocols', { ALPNProtocols: Array.from({ length: 200 }, (_, at) => `protocol-${at}`) }],
] as const)('a hello %s has its name, however it is cut', async (_, options) => {
  const hello = await helloOf({ servername: 'shop.example', ...options } as ConnectionOptions);
  expect(serverNameIn(hello)).toBe('shop.example');
  for (let length = 0; length < hello.length; length++) expect(serverNameIn(hello.subarray(0, length))).toBe(MORE);
  expect(serverNameIn(Buffer.concat([hello, Buffer.from('more')]))).toBe('shop.example');
});

test('records may divide it anywhere', async () => {
  const hello = await helloOf({ servername: 'shop.example' });
  const message = hello.subarray(5);
  const record = (part: Buffer) =>
    Buffer.concat([Buffer.from([0x16, 3, 1, part.length >> 8, part.length & 0xff]), part]);
  for (const size of [1, 3, 4, 5, 100])
    expect(
      serverNameIn(
        Buffer.concat(
          Array.from({ length: Math.ceil(message.length / size) }, (_, at) =>
            record(message.subarray(at * size, at * size + size)),
          ),
        ),
      ),
    ).toBe('shop.example');
});

test('no name, and no handshake', async () => {
  expect(serverNameIn(await helloOf({ servername: '' }))).toBe(NONE);
  expect(serverNameIn(Buffer.from('GET / HTTP/1.1\r\n'))).toBe(NONE);
  expect(serverNameIn(Buffer.from([0x16, 3, 1, 0, 0]))).toBe(NONE);
  expect(serverNameIn(Buffer.from([0x16, 3, 1, 0, 4, 2, 0, 0, 0]))).toBe(NONE);
  expect(serverNameIn(Buffer.from([0x16, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff]))).toBe(NONE);
});

test('nothing throws, whatever octets a hello holds', async () => {
  const hello = await helloOf({ servername: 'shop.example' });
  const { failed, seed, counterexample } = check(
    property(
      uint8Array({ minLength: 1, maxLength: 8 }),
      uint8Array({ minLength: 2, maxLength: 2 }),
      (octets, [high, low]) => {
        const changed = Buffer.from(hello);
        Buffer.from(octets).copy(changed, ((high! << 8) | low!) % hello.length);
        expect(['string', 'number']).toContain(typeof serverNameIn(changed));
      },
    ),
    { numRuns: 3000 },
  );
  expect({ failed, seed, counterexample }).toMatchObject({ failed: false });
});
