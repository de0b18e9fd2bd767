import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MORE, REFUSED } from '../../src/http/fields.ts';
import { RequestHead } from '../../src/http/request-head.ts';
import { accepted, hostile } from '../cases/heads.ts';

const most = 32_768;

/** What a head says, in one comparable value. */
function read(octets: Buffer): unknown {
  const head = new RequestHead();
  const after = head.read(octets, 0, { end: octets.length, most });
  if (after === MORE) return 'more';
  if (after === REFUSED) return head.refusal!.reason;
  const { fields, framing, connection } = head;
  return {
    after,
    line: octets.toString('latin1', head.start, head.lineEnd),
    fields: Array.from({ length: fields.count }, (_, i) => [
      octets.toString('latin1', fields.start[i], fields.nameEnd[i]),
      octets.toString('latin1', fields.valueStart[i], fields.valueEnd[i]),
      fields.kind[i],
    ]),
    framing: [framing.length, framing.chunked],
    connection: [connection.close, connection.keepAlive, connection.upgrade],
    rest: [head.method, head.minor, head.rewritten, head.expectsContinue, head.upgrade],
  };
}

describe('a head that must not pass', () => {
  test.each(hostile)('$name: $reason', ({ head, reason }) => {
    expect(read(Buffer.from(head, 'latin1'))).toBe(reason);
  });
});

describe('a head that must pass', () => {
  test.each(accepted)('$name', ({ head }) => {
    const octets = Buffer.from(head, 'latin1');
    expect(read(octets)).toMatchObject({ after: head.indexOf('\r\n\r\n', 2) + 4 });
  });
});

describe('the packets it came in make no difference', () => {
  const every = [...hostile, ...accepted].map(({ head }) => Buffer.from(head, 'latin1'));

  /** The answer after each further octet: `more` until it is decided, and the same from then on. */
  const decided = (octets: Buffer) => {
    for (let length = 1; length <= octets.length; length++) {
      const outcome = read(octets.subarray(0, length));
      if (outcome !== 'more') return { outcome, length };
    }
    return { outcome: 'more', length: octets.length };
  };

  test('each known head is decided at the same octet however much of it is there', () => {
    for (const octets of every.filter(({ length }) => length < 2_000)) {
      const { outcome, length } = decided(octets);
      for (let more = length; more <= octets.length; more++)
        expect([octets.toString('latin1'), read(octets.subarray(0, more))]).toEqual([
          octets.toString('latin1'),
          outcome,
        ]);
    }
  });

  test('any octets, valid or not, read the same in one piece and cut anywhere', () => {
    const name = fc.stringMatching(/^[A-Za-z_.-]{1,12}$/);
    const value = fc.stringMatching(/^[ -~\t]{0,20}$/);
    const line = fc.oneof(
      fc.tuple(name, value).map(([n, v]) => `${n}: ${v}\r\n`),
      fc.constantFrom(
        'Host: a\r\n',
        'Content-Length: 3\r\n',
        'Transfer-Encoding: chunked\r\n',
        'X : y\r\n',
        ' folded\r\n',
        'a\n',
      ),
    );
    const head = fc
      .tuple(
        fc.constantFrom('GET / HTTP/1.1\r\n', 'POST /a?b HTTP/1.0\r\n', 'GET  / HTTP/1.1\r\n'),
        fc.array(line, { maxLength: 6 }),
      )
      .map(([first, lines]) => Buffer.from(`${first}${lines.join('')}\r\n`, 'latin1'));
    const noise = fc.tuple(head, fc.nat(), fc.nat(255)).map(([octets, at, octet]) => {
      const spoilt = Buffer.from(octets);
      spoilt[at % spoilt.length] = octet;
      return spoilt;
    });
    fc.assert(
      fc.property(fc.oneof(head, noise), fc.nat(), (octets, at) => {
        const cut = at % (octets.length + 1);
        const whole = read(octets);
        const first = read(octets.subarray(0, cut));
        if (first !== 'more') expect(whole).toEqual(first);
      }),
      { numRuns: 3_000, verbose: 1 },
    );
  });
});

test('a head longer than the limit is refused, and not an octet earlier', () => {
  const head = (length: number) => {
    const start = 'GET / HTTP/1.1\r\nHost: a\r\nX: ';
    return Buffer.from(`${start}${'x'.repeat(length - start.length - 4)}\r\n\r\n`);
  };
  expect(read(head(most))).toMatchObject({ after: most });
  expect(read(head(most + 1))).toBe('head_length');
});

test('nominated fields are remembered, and framing cannot be nominated away', () => {
  const head = new RequestHead();
  const octets = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Secret ,, host\r\nx-secret: 1\r\n\r\n');
  expect(head.read(octets, 0, { end: octets.length, most })).toBe(octets.length);
  expect(head.connection.close).toBe(true);
  const { fields } = head;
  expect(head.connection.nominates(octets, fields.start[2]!, fields.nameEnd[2]!)).toBe(true);
});

test('few fields may be nominated: each costs a look at all the others', () => {
  const nominating = (count: number) =>
    Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\nConnection: ${'x,'.repeat(count)}close\r\n\r\n`);
  expect(read(nominating(32))).toMatchObject({ connection: [true, false, false] });
  expect(read(nominating(33))).toBe('connection_options');
});
