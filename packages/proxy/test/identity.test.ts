import { expect, test } from 'vitest';
import { identify } from '../src/identity.ts';

test('the lines about a client keep no memory but their own for as long as its connection lasts', () => {
  const { withHost, withoutHost } = identify('192.0.2.1', 'https', {
    certificate: Buffer.from('X-Client-Cert: a\r\n'),
  });
  expect(withoutHost.toString()).toBe('X-Client-Cert: a\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n');
  expect(withoutHost.buffer.byteLength).toBe(withoutHost.length);
  expect(withHost?.toString()).toBe(`${withoutHost}X-Forwarded-Host: `);
  expect(withHost?.buffer.byteLength).toBe(withHost?.length);
});
