import { describe, expect, test } from 'vitest';
import { type Asked, Relay } from '../src/relay.ts';

const get: Asked = { method: 'GET', minor: 1, upgrade: '', streams: undefined, edits: undefined };

/** What the client gets, octet by octet as well as at once. */
function relay(response: string, asked: Asked = get, { ended = false, mayKeep = true } = {}) {
  const run = (step: number) => {
    const one = new Relay(asked, true);
    const octets = Buffer.from(response, 'latin1');
    const out: Buffer[] = [];
    for (let at = 0; at < octets.length && !one.invalid && !one.done; at += step)
      out.push(Buffer.from(one.read(octets, at, Math.min(octets.length, at + step), mayKeep)));
    if (ended) out.push(one.end() ?? Buffer.from('[cut]'));
    const { keep, reusable, done, invalid, status } = one;
    return { sent: Buffer.concat(out).toString('latin1'), keep, reusable, done, invalid, status };
  };
  return { ...run(response.length), slowly: run(1) };
}

describe('the head', () => {
  test('keeps order and case, and loses what was for the hop behind', () => {
    const { sent } = relay(
      'HTTP/1.1 200 Fine\r\nX-ODD: 1\r\nConnection: keep-alive, X-Mine\r\nKeep-Alive: timeout=5\r\nx-mine: 2\r\nContent-Length: 0\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n',
    );
    expect(sent).toBe('HTTP/1.1 200 Fine\r\nX-ODD: 1\r\nContent-Length: 0\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n');
  });

  test.each(['HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n'])(
    'of an old server without reason: %j',
    (response) => {
      expect(relay(response)).toMatchObject({ status: 200, done: true, invalid: undefined });
    },
  );

  test('says close when the connection may not be kept', () => {
    const { sent, keep } = relay('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', get, { mayKeep: false });
    expect(sent).toContain('\r\nConnection: close\r\n');
    expect(keep).toBe(false);
  });

  test('says keep-alive to a client of HTTP/1.0', () => {
    const { sent } = relay('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', { ...get, minor: 0 });
    expect(sent).toBe('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok');
  });
});

describe('the body', () => {
  const ok = 'HTTP/1.1 200 OK\r\n';
  const cases: [string, string, Asked, { sent: string; reusable: boolean; keep: boolean; ended?: boolean }][] = [
    [
      'of known length',
      `${ok}Content-Length: 5\r\n\r\nhello`,
      get,
      { sent: `${ok}Content-Length: 5\r\n\r\nhello`, reusable: true, keep: true },
    ],
    [
      'with zeros before its length',
      `${ok}Content-Length: 005\r\n\r\nhello`,
      get,
      { sent: `${ok}Content-Length: 5\r\n\r\nhello`, reusable: true, keep: true },
    ],
    [
      'in chunks',
      `${ok}Transfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nX: y\r\n\r\n`,
      get,
      { sent: `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`, reusable: true, keep: true },
    ],
    [
      'in chunks, for HTTP/1.0',
      `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
      { ...get, minor: 0 },
      { sent: `${ok}Connection: close\r\n\r\nhello`, reusable: true, keep: false },
    ],
    [
      'until the connection ends',
      `${ok}\r\nhello`,
      get,
      {
        sent: `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
        reusable: false,
        keep: true,
        ended: true,
      },
    ],
    [
      'until the connection ends, for HTTP/1.0',
      `${ok}\r\nhello`,
      { ...get, minor: 0 },
      { sent: `${ok}Connection: close\r\n\r\nhello`, reusable: false, keep: false, ended: true },
    ],
    [
      'not there for HEAD',
      `${ok}Content-Length: 5\r\n\r\n`,
      { ...get, method: 'HEAD' },
      { sent: `${ok}Content-Length: 5\r\n\r\n`, reusable: true, keep: true },
    ],
    [
      'not there for HEAD of chunks',
      `${ok}Transfer-Encoding: chunked\r\n\r\n`,
      { ...get, method: 'HEAD' },
      { sent: `${ok}\r\n`, reusable: true, keep: true },
    ],
    [
      'not there for 304, whose length is that of the other',
      'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
      get,
      { sent: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', reusable: false, keep: true },
    ],
    [
      'not there for 204',
      'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n',
      get,
      { sent: 'HTTP/1.1 204 No Content\r\n\r\n', reusable: true, keep: true },
    ],
    [
      'sent with 204 against the rules',
      'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n',
      get,
      { sent: 'HTTP/1.1 204 No Content\r\n\r\n', reusable: false, keep: true },
    ],
    [
      'of an application that closes',
      `${ok}Connection: close\r\nContent-Length: 2\r\n\r\nok`,
      get,
      { sent: `${ok}Content-Length: 2\r\n\r\nok`, reusable: false, keep: true },
    ],
    [
      'of HTTP/1.0',
      'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
      get,
      { sent: `${ok}Content-Length: 2\r\n\r\nok`, reusable: false, keep: true },
    ],
    [
      'empty and of unknown length',
      `${ok}\r\n`,
      get,
      { sent: `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, reusable: false, keep: true, ended: true },
    ],
  ];
  test.each(cases)('%s', (_, response, asked, { ended = false, ...expected }) => {
    const outcome = relay(response, asked, { ended });
    expect(outcome).toMatchObject({ ...expected, done: true, invalid: undefined });
    const { slowly } = outcome;
    const merge = (text: string) => text.replace(/(?<=\r\n)1\r\n(.)\r\n/gs, '$1');
    const data = (text: string) => merge(text).replace(/(?<=\r\n\r\n)5\r\n(hello)\r\n/, '$1');
    expect({ ...slowly, sent: data(slowly.sent) }).toMatchObject({ ...expected, sent: data(expected.sent) });
  });

  test('cut short is not passed off as whole', () => {
    expect(relay(`${ok}Content-Length: 9\r\n\r\nhello`, get, { ended: true })).toMatchObject({ done: false });
    expect(relay(`${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`, get, { ended: true }).sent).toMatch(
      /\[cut\]$/,
    );
  });

  test('with octets after its end does not free the connection for the next request', () => {
    expect(relay(`${ok}Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n`)).toMatchObject({
      done: true,
      reusable: false,
    });
  });
});

describe('interim responses', () => {
  const final = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

  test('are passed on, all but 100, which was answered already', () => {
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n';
    expect(relay(`HTTP/1.1 100 Continue\r\n\r\n${hints}${final}`).sent).toBe(hints + final);
  });

  test('are kept from a client of HTTP/1.0', () => {
    const { sent } = relay(`HTTP/1.1 103 Early Hints\r\n\r\n${final}`, { ...get, minor: 0 });
    expect(sent).toMatch(/^HTTP\/1.1 200 OK/);
  });

  test('without end are refused', () => {
    expect(relay('HTTP/1.1 102 Processing\r\n\r\n'.repeat(11)).invalid).toBe('Too many interim responses');
  });
});

describe('what is no response', () => {
  test.each([
    ['another protocol', 'SSH-2.0-OpenSSH\r\n'],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
    ['no status', 'HTTP/1.1 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status above 599', 'HTTP/1.1 600 Odd\r\n\r\n'],
    ['LF alone', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
    ['a folded field', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n'],
    ['a space before a colon', 'HTTP/1.1 200 OK\r\nX : a\r\n\r\n'],
    ['a control character', 'HTTP/1.1 200 OK\r\nX: \x01\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    ['length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n'],
    ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a bad chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ['a head without end', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(70_000)}`],
    ['a switch of protocols that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ])('%s', (_, response) => {
    const { invalid, slowly } = relay(response);
    expect(invalid).toBeTypeOf('string');
    expect(slowly.invalid).toBe(invalid);
  });
});
