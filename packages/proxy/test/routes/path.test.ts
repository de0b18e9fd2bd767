import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { namesOf, pathRefusals, readPath } from '../../src/routes/path.ts';

const clean = (path: string) => {
  const read = readPath(path);
  return 'reason' in read ? read : read.text;
};

test.each([
  ['/', '/'],
  ['/a', '/a'],
  ['/a/', '/a/'],
  ['//', '/'],
  ['//a//b///', '/a/b/'],
  ['/./a/./b/.', '/a/b/'],
  ['/a/b/..', '/a/'],
  ['/a/b/../', '/a/'],
  ['/a/../..', '/'],
  ['/../../a', '/a'],
  ['/a/%2e%2E/b', '/b'],
  ['/a/.%2e/b', '/b'],
  ['/%61dmin', '/admin'],
  ['/%7euser', '/~user'],
  ['/caf%c3%a9', '/caf%C3%A9'],
  ['/a%2fb', '/a%2Fb'],
  ['/a%5cb', '/a%5Cb'],
  ['/a%20b%2b', '/a%20b%2B'],
  ['/100%25', '/100%25'],
  ['/%2561dmin', '/%2561dmin'],
  ['/a;v=1/b', '/a;v=1/b'],
  ['/...', '/...'],
  ['/a/..b/.c', '/a/..b/.c'],
])('%s comes down to %s', (path, expected) => {
  expect(clean(path)).toBe(expected);
});

test.each<[path: string, refusal: keyof typeof pathRefusals]>([
  ['/x'.repeat(101), 'depth'],
  [`/${'%252f'.repeat(100)}`, 'depth'],
  ['/a%', 'escape'],
  ['/a%2', 'escape'],
  ['/a%zz', 'escape'],
  ['/%u002e%u002e/a', 'escape'],
  ['/a%00', 'control'],
  ['/a%00.html', 'control'],
  ['/a%0d%0aX:%20y', 'control'],
  ['/admin%0a', 'control'],
  ['/a%7f', 'control'],
  ['/%c0%ae%c0%ae/a', 'overlong'],
  ['/a%c0%afb', 'overlong'],
  ['/a%e0%80%afb', 'overlong'],
  ['/a%f0%80%80%afb', 'overlong'],
  ['/a%2f..', 'hiddenDots'],
  ['/a/..%2fb', 'hiddenDots'],
  ['/a/%2e%2e%2fb', 'hiddenDots'],
  ['/a/..%5cb', 'hiddenDots'],
  ['/a%5c..%5cb', 'hiddenDots'],
  ['/a%2f./b', 'hiddenDots'],
  ['/a%2fb/../c', 'hiddenDots'],
  ['/a/../b%2fc', 'hiddenDots'],
  ['/a%5cb/../c', 'hiddenDots'],
  ['/a/..;/b', 'hiddenDots'],
  ['/a/..;x=1/b', 'hiddenDots'],
  ['/a/.;/b', 'hiddenDots'],
  ['/a/..%3b/b', 'hiddenDots'],
  ['/a/..%3f', 'hiddenDots'],
  ['/a/..%23', 'hiddenDots'],
  ['/a/%252e%252e/b', 'hiddenDots'],
  ['/a/%252e%252e%252fb', 'hiddenDots'],
  ['/a%252fb/../c', 'hiddenDots'],
  ['/a%252f..', 'hiddenDots'],
  ['/;%252fx%2f%2561dmin', 'twice'],
  ['/a%2561;b', 'twice'],
])('%s is refused: %s', (path, refusal) => {
  expect(clean(path)).toBe(pathRefusals[refusal]);
});

test.each([
  ['/a%2fb%5Cc', ['a', 'b', 'c']],
  ['/%2fa', ['a']],
  ['/admin;x/b;y=1;z', ['admin', 'b']],
  ['/admin%3bx', ['admin']],
  ['/;/admin', ['admin']],
  ['/caf%C3%A9', ['caf\xc3\xa9']],
  ['/%2561', ['%61']],
  ['/', []],
])('%s is compared as %j', (path, expected) => {
  const read = readPath(path);
  expect('reason' in read ? read : namesOf(read)).toEqual(expected);
});

describe('whatever the path', () => {
  const piece = fc.constantFrom(
    ...[
      '/',
      '//',
      '.',
      '..',
      '%2e',
      '%2E',
      '%2f',
      '%2F',
      '%5c',
      '%25',
      '%252e',
      '%252f',
      ';',
      '%3b',
      '%3f',
      '%00',
      '%c0%ae',
    ],
    ...['a', 'B', 'admin', '%61', '%41', '%', '%zz', '%e2%82%ac', '~', '=', '@', ':', '"'],
  );
  const path = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`);

  test('clean is clean', () => {
    let accepted = 0;
    fc.assert(
      fc.property(path, (each) => {
        const once = clean(each);
        if (typeof once !== 'string') return;
        accepted++;
        expect(clean(once)).toBe(once);
      }),
      { numRuns: 5_000 },
    );
    expect(accepted).toBeGreaterThan(500);
  });

  test('no dot segment and no doubled slash is left, however it is unescaped', () => {
    fc.assert(
      fc.property(path, (each) => {
        let text = clean(each);
        for (let round = 0; round < 2 && typeof text === 'string'; round++) {
          expect(text).not.toMatch(round === 0 ? /\/\/|^[^/]/ : /^[^/]/);
          const names = text.split(/[/\\]/).map((name) => name.replace(/[;?#].*/s, ''));
          expect(names).not.toContain('..');
          expect(names).not.toContain('.');
          text = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
