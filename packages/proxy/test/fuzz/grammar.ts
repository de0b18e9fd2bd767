// Streams of requests and of responses as a grammar makes them: mostly valid, each part now and then a little wrong; and
// changes of single octets on top. Strings hold one octet in each character.

import { METHODS } from 'node:http';
import fc, { type Arbitrary } from 'fast-check';

/** Nearly always what is right. */
const mostly = <T>(right: Arbitrary<T>, wrong: Arbitrary<T>): Arbitrary<T> =>
  fc.oneof({ weight: 50, arbitrary: right }, { weight: 1, arbitrary: wrong });
const one = (...choices: readonly string[]): Arbitrary<string> => fc.constantFrom(...choices);
const joined = (...parts: readonly Arbitrary<string>[]): Arbitrary<string> =>
  fc.tuple(...parts).map((all) => all.join(''));
const text = (pattern: RegExp): Arbitrary<string> => fc.stringMatching(pattern);

const octets = fc.string({ unit: fc.nat(255).map((octet) => String.fromCharCode(octet)), maxLength: 12 });
const lineEnd = mostly(one('\r\n'), one('\n', '\r', '\r\r\n', '\n\r\n', '\r\n\r\n', ''));
const space = mostly(one(' '), one('  ', '\t', '', '\x0b', '\x0c'));

const method = mostly(one('GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS'), one(...METHODS, 'get', 'PRI', 'NEW', ''));
const target = mostly(
  one('/', '/a/b?c=d', '/%2f..//;x', '*', 'http://a', 'http://a:80/x?y', 'https://A:443', 'http://a?q'),
  fc.oneof(
    one('a', 'a:443', '/#f', '/\\', '/\xe9', '*/x', 'http://u@a/', 'http:///', 'http://b/', 'ftp://a/', '//', '?', ''),
    text(/^\/[ -~]{0,12}$/),
    text(/^https?:\/\/[!-~]{0,12}$/),
  ),
);
const version = mostly(
  one('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'),
  one('HTTP/0.9', 'HTTP/2.0', 'HTTP/1.2', 'http/1.1', 'HTTP/1.1 ', 'HTTP/11', 'HTTP/1', 'RTSP/1.0', 'ICE/1.0', ''),
);

const colon = mostly(one(': ', ':', ':\t', ':  '), one(' : ', '', '\t:', ':\r\n ', ':\x0b', '::'));
const blanks = mostly(one('', ' ', '\t'), one('\x0b', '\0', '\r\n ', '\r'));
const line = (name: Arbitrary<string>, value: Arbitrary<string>) => joined(name, colon, value, blanks, lineEnd);

const length = mostly(
  text(/^0{0,2}[0-9]{1,2}$/),
  one('+1', '-1', '0x1', '1_0', '1 2', '', '1,1', '18446744073709551617'),
);
const coding = mostly(
  one('chunked', 'Chunked', 'CHUNKED'),
  one('gzip', 'gzip, chunked', 'chunked, gzip', 'identity', '', ',chunked', 'chunked,', 'chunked;a=b', '"chunked"'),
);
const connection = one(
  ...['close', 'keep-alive', 'Close', 'Upgrade', 'x, close', 'keep-alive, Upgrade', 'close, keep-alive', 'closed', ''],
  ...['close ,', ',close', 'close;x', 'clos', 'keep-alive, x-a', 'upgrade,close', 'close\t,x'],
);
const ordinary = fc.oneof(
  line(one('X', 'X-A', 'Accept', '__proto__', 'x_forwarded_for', 'Cookie'), text(/^[!-~][ -~\t]{0,10}$|^$/)),
  line(one('Connection'), connection),
  line(one('Upgrade'), one('websocket', 'h2c', '')),
  line(one('Keep-Alive', 'Expect', 'TE', 'Trailer'), one('100-continue', 'timeout=5', 'trailers')),
);
const odd = fc.oneof(
  line(text(/^[!-~]{0,6}$/), octets),
  line(one('Proxy-Connection'), connection),
  line(one('Host'), text(/^[!-~]{0,6}$/)),
  line(one('Content-Length', 'content-length', 'Content_Length', 'Content-Lengt'), length),
  line(one('Transfer-Encoding', 'transfer-encoding', 'Transfer_Encoding'), coding),
  octets,
);
const fields = fc.array(mostly(ordinary, odd), { maxLength: 4 }).map((lines) => lines.join(''));

const data = fc.oneof(octets, one('hello', '0\r\n\r\n', 'GET / HTTP/1.1\r\n'));
const extension = mostly(
  one('', '', ';a', ';a=b', ';a="b c"', ';a=b;c="\\""'),
  fc.oneof(
    one(';', ' ;a', ';a b', ';"a"', '; a', ';a=', ';=b', ' ', ';a="', ';a="b"c', ';a=\x01'),
    joined(one(';a='), octets),
  ),
);
const size = (value: number) =>
  mostly(
    one(value.toString(16), value.toString(16).toUpperCase(), `0${value.toString(16)}`),
    one(`0x${value.toString(16)}`, `+${value}`, `${value} `, ` ${value}`, '', '-1', `${value}_`, 'fffffffffffffffff'),
  );
const chunk = data
  .filter(({ length: octetsOf }) => octetsOf > 0)
  .chain((value) => joined(size(value.length), extension, lineEnd, fc.constant(value), lineEnd));
const trailers = mostly(
  one('', '', 'X-Sum: 1\r\n', 'grpc-status: 0\r\ngrpc-message:\r\n'),
  fc.oneof(
    fields,
    one('Content-Length: 1\r\n', 'Transfer-Encoding: chunked\r\n', 'Connection: close\r\n', 'Host: b\r\n'),
  ),
);
const chunks = fc.array(chunk, { maxLength: 3 }).map((all) => all.join(''));
const chunked = joined(chunks, mostly(one('0', '000'), one('', '00;a', '0 ')), lineEnd, trailers, lineEnd);

/** Fields that frame a body, and the body that they frame. */
const framed: Arbitrary<readonly [string, string]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(['', ''] as const) },
  {
    weight: 3,
    arbitrary: data.chain((value) =>
      line(one('Content-Length', 'content-length'), mostly(one(`${value.length}`, `0${value.length}`), length)).map(
        (framing) => [framing, value] as const,
      ),
    ),
  },
  { weight: 3, arbitrary: fc.tuple(line(one('Transfer-Encoding', 'transfer-encoding'), coding), chunked) },
);

const message = (start: Arbitrary<string>, named: Arbitrary<string>) =>
  fc
    .tuple(start, named, fields, framed, fields, lineEnd)
    .map(([first, host, before, [framing, body], after, end]) =>
      [first, host, before, framing, after, end, body].join(''),
    );

const request = message(
  joined(mostly(one(''), one('\r\n', '\n', '\r', ' ')), method, space, target, space, version, lineEnd),
  mostly(one('Host: a\r\n', 'host:a\r\n', 'Host: a:80\r\n'), one('', 'Host: \r\n', 'Host: a\r\nHost: a\r\n')),
);

const status = mostly(
  one('200', '404', '204', '304', '100', '103', '500'),
  one('101', '99', '600', '20', '2000', '2x0', ''),
);
const reason = mostly(one(' OK', ' ', '', ' Not Found', ' \xe9'), one(' \x01', '\t', ' a\rb', 'OK'));
const response = message(joined(version, space, status, reason, lineEnd), fc.constant(''));

const stream = (each: Arbitrary<string>, most: number) =>
  fc
    .tuple(fc.array(each, { minLength: 1, maxLength: most }), mostly(one(''), octets))
    .map(([all, rest]) => all.join('') + rest);

export const requests: Arbitrary<string> = stream(request, 3);
export const responses: Arbitrary<string> = stream(response, 2);

/** One change of a stream. */
export type Change = readonly [kind: number, at: number, length: number, which: number];
export const change: Arbitrary<Change> = fc.tuple(fc.nat(7), fc.nat(65_535), fc.nat(15), fc.nat(255));

const telling = [...'\r\n\0 \t:;,=/#?%"0159aAfFxX-_+.\x01\x0b\x7f\x80\xff'];
const snippets = [
  ...['\r\n', '\n', '\r', '\r\n\r\n', '\r\n ', ' ', ',', '0', '0\r\n\r\n', 'chunked', 'close', '1', ';a', ';'],
  ...['Content-Length: 1\r\n', 'Transfer-Encoding: chunked\r\n', 'Connection: close\r\n', 'Host: b\r\n', 'X: y\r\n'],
  ...['GET / HTTP/1.1\r\nHost: a\r\n\r\n', ' HTTP/1.1\r\n', '\xe9', '\0'],
];

/** The stream with the change made. */
export function changed(from: string, [kind, position, length, which]: Change): string {
  const at = from.length === 0 ? 0 : position % from.length;
  const before = from.slice(0, at);
  const after = from.slice(at);
  switch (kind) {
    case 0:
      return before + String.fromCharCode(which) + after.slice(1);
    case 1:
      return before + telling[which % telling.length] + after.slice(1);
    case 2:
      return before + telling[which % telling.length] + after;
    case 3:
      return before + snippets[which % snippets.length] + after;
    case 4:
      return before + after.slice(1 + (length % 3));
    case 5:
      return before + after.slice(0, length) + after;
    case 6:
      return before;
    default:
      return before + flipped(after[0] ?? '') + after.slice(1);
  }
}

const flipped = (character: string) =>
  character === character.toLowerCase() ? character.toUpperCase() : character.toLowerCase();

/** Where packets end, drawn from a seed: octet by octet, in small pieces or in a few large ones. */
export function cutsOf(length: number, seed: number): number[] {
  const cuts: number[] = [];
  const most = [1, 3, 16, Math.max(1, length)][seed % 4]!;
  let state = seed + 1;
  for (let at = 0; at < length; ) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    at += 1 + ((state >>> 16) % most);
    if (at < length) cuts.push(at);
  }
  return cuts;
}
