import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redirectLocation } from '../../src/routes/rewrite.ts';
import { isRefusal } from '../../src/routes/router.ts';
import { type Asked, findIn, requestOf, routerOf } from './read-routes.ts';
import { hostilePath, readers } from './readers.ts';

const guarded = await routerOf('name: admin, path: /admin, deny: 403');

describe('no spelling passes the rule that denies /admin', () => {
  test.each([
    '/admin',
    '/admin/',
    '/admin/x',
    '/admin?x',
    '/admin/?x=/../y',
    '/./admin',
    '//admin',
    '///admin//x',
    '/%61dmin',
    '/%61%64%6d%69%6E',
    '/x/../admin',
    '/x/y/../../admin/z',
    '/x/%2e%2e/admin',
    '/x/.%2E/admin',
    '/../admin',
    '/admin/../admin',
    '/admin;x',
    '/admin;jsessionid=1/x',
    '/admin%3bx',
    '/;/admin',
    '/;x=1/admin',
    '/admin%2fx',
    '/admin%2Fx',
    '/%2fadmin',
    '/admin%5cx',
    '/%5cadmin',
    '/admin/.',
    '/admin/x/..',
    'http://a/admin',
    'http://a//%61dmin',
  ])('%s: denied', (target) => {
    expect(findIn(guarded, target)).toBe('admin');
  });

  test.each([
    '/admin%2f..',
    '/admin%2f../x',
    '/x/..%2fadmin',
    '/x/%2e%2e%2fadmin',
    '/x/..%5cadmin',
    '/x%2f..%2fadmin',
    '/x%2fy/../admin',
    '/x/..;/admin',
    '/x/..;a=b/admin',
    '/x/..%3b/admin',
    '/.;/admin',
    '/admin%00',
    '/admin%0a',
    '/admin%09x',
    '/x/%c0%ae%c0%ae/admin',
    '/x%c0%afadmin',
    '/%u0061dmin',
    '/admin%',
    '/%2561dmin',
    '/%252561dmin%2561',
    '/x/%252e%252e/admin',
    '/admin%3fx',
    '/admin%23x',
    '/admin%253fx',
    '/%252fadmin',
    '/%2f;%2f%3f/admin',
    '/;%5cx%2f%61dmin%5c',
    '/;%252fx%2f%2561dmin',
    'http://a/x/..%2fadmin',
  ])('%s: refused', (target) => {
    // Escaped three times is beyond what is undone; what stands beside it here is not.
    expect(findIn(guarded, target)).toBe(target === '/%252561dmin%2561' ? 'otherwise' : '400 path');
  });

  test.each([
    '/',
    '/administrator',
    '/admin.html',
    '/x/admin',
    '/x%2fadmin',
    '/x?/admin',
    '/x?/../admin',
    '/x?p=%00%2f..',
    '/x;/admin',
    '/ADMIN',
    '/.well-known/x',
    '/100%25',
    '/caf%c3%a9',
    '/%e2%82%ac',
    '/proxy/http://example.com/',
  ])('%s: is something else, and goes on as it is', (target) => {
    expect(findIn(guarded, target)).toBe('otherwise');
  });

  test('OPTIONS * has no path', () => {
    expect(findIn(guarded, '*', { method: 'OPTIONS' })).toBe('otherwise');
  });
});

test('the application gets the clean path when the one that was sent reads in two ways', async () => {
  const router = await routerOf('name: public, path: /public', 'name: api, path: /api', 'deny: 404, name: rest');
  expect(findIn(router, '/x/../public/a?q=/../')).toBe('public /public/a?q=/../');
  expect(findIn(router, '/public/../rest')).toBe('rest');
  expect(findIn(router, '/./public/%7e%2f')).toBe('400 path');
  expect(findIn(router, '/./public/%7e%2b')).toBe('public /public/~%2B');
  expect(findIn(router, '//public/a')).toBe('public /public/a');
  // It is under /public however slashes are counted.
  expect(findIn(router, '/public//http://b')).toBe('public');
  expect(findIn(router, '/public/x;y=1')).toBe('public');
  expect(findIn(router, '/public/group%2fproject')).toBe('public');
  // Unescaped by one reader, in /public; by another, a name of its own, which would be denied.
  expect(findIn(router, '/public%2fa')).toBe('400 path');
  expect(findIn(router, '/public%5ca')).toBe('400 path');
});

test('a rule for every path denies OPTIONS * as well', async () => {
  expect(findIn(await routerOf('deny: 403'), '*', { method: 'OPTIONS' })).toBe('rules[0]');
  expect(findIn(await routerOf('path: /, deny: 403'), '*', { method: 'OPTIONS' })).toBe('rules[0]');
});

test('a path is not looked at where no rule does', async () => {
  expect(findIn(await routerOf('methods: [POST], deny: 403'), '/a%00/..%2f%')).toBe('otherwise');
});

test('the first rule that fits is taken', async () => {
  const router = await routerOf('name: a, path: /x/y', 'name: b, path: /x, methods: [POST]', 'name: c, path: /x');
  expect(['/x/y/z', '/x', '/y'].map((path) => findIn(router, path))).toEqual(['a', 'c', 'otherwise']);
  expect(findIn(router, '/x', { method: 'POST' })).toBe('b');
});

test('a rule for GET is for HEAD, and methods have their case', async () => {
  const router = await routerOf('methods: [GET], deny: 403');
  const found = (method: string) => findIn(router, '/', { method });
  expect(['GET', 'HEAD', 'POST', 'get'].map(found)).toEqual(['rules[0]', 'rules[0]', 'otherwise', 'otherwise']);
});

test('ignoreCase is for applications that do not look at case', async () => {
  const router = await routerOf('path: /Admin, ignoreCase: true, deny: 403');
  for (const path of ['/admin', '/ADMIN/x', '/aDm%69N', '//ADMIN']) expect(findIn(router, path)).toBe('rules[0]');
  expect(findIn(router, '/administrator')).toBe('otherwise');
});

test.each([
  ['example.com', 'exact'],
  ['EXAMPLE.com:8443', 'exact'],
  ['example.com.', 'exact'],
  ['example.com.:80', 'exact'],
  ['a.example.com', 'wild'],
  ['A.EXAMPLE.COM.', 'wild'],
  ['a.b.example.com', 'otherwise'],
  ['.example.com', 'otherwise'],
  ['xexample.com', 'otherwise'],
  ['example.com.evil.net', 'otherwise'],
  ['[::1]', 'six'],
  ['[::1]:8080', 'six'],
  ['ex%61mple.com', '400 host'],
])('the host %s: %s', async (host, expected) => {
  const router = await routerOf(
    'name: exact, host: Example.com',
    "name: wild, host: '*.example.com'",
    "name: six, host: '[::1]'",
  );
  expect(findIn(router, '/', { host })).toBe(expected);
});

test.each([
  ['/api', '/api', '/', '/'],
  ['/api', '/api/', '/', '/'],
  ['/api', '/api/a/b?q', '/', '/a/b?q'],
  ['/api', '/api?q', '/', '/?q'],
  ['/api', '/api', '/v2', '/v2'],
  ['/api', '/api/', '/v2', '/v2/'],
  ['/api', '/api/a', '/v2/', '/v2/a'],
  ['/api', '/api?q=/api', '/v2', '/v2?q=/api'],
  ['/api', '/x/../api//a/./b%2bc%41', '/', '/a/b%2BcA'],
  ['/api', '/api/b%2fc', '/', '/b%2Fc'],
  ['/api', '/api;v=1/a;b', '/', '/a;b'],
  ['/api/', '/%61pi/a/', '/v2', '/v2/a/'],
  ['/api', 'http://a/api/a?q', '/v2', '/v2/a?q'],
  ['/', '/a', '/base', '/base/a'],
  ['/', '/', '/base', '/base/'],
])('under %s, %s with %s in its place is %s', async (path, target, replacePrefix, expected) => {
  const router = await routerOf(`name: r, path: ${path}, replacePrefix: ${replacePrefix}`);
  expect(findIn(router, target)).toBe(`r ${expected}`);
});

test('no path climbs out of what replaces its beginning, and what is replaced is written plainly', async () => {
  const router = await routerOf('name: r, path: /api, replacePrefix: /base');
  for (const target of ['/api/..%2fx', '/api/%2e%2e%2fx', '/api/%252e%252e/x', '/api/..;/x', '/api%2fx', '/;a/api/x'])
    expect([target, findIn(router, target)]).toEqual([target, '400 path']);
  expect(findIn(router, '/api/../x')).toBe('otherwise /x');
});

test.each([
  ['path: /old, redirect: { to: https://b.example/new }', '/old/a?q', 'https://b.example/new'],
  ['path: /old, redirect: { to: https://b.example/new, keepPath: true }', '/old/a?q', 'https://b.example/new/a?q'],
  ['path: /old, redirect: { to: https://b.example/new/, keepPath: true }', '/old', 'https://b.example/new'],
  ['path: /old, redirect: { to: https://b.example, keepPath: true }', '/old?q', 'https://b.example?q'],
  ['path: /old, redirect: { to: /, keepPath: true }', '/old', '/'],
  ['path: /old, redirect: { to: /, keepPath: true }', '/old//evil.example', '/evil.example'],
  ['path: /old, redirect: { to: /, keepPath: true }', '/old/%5cevil.example', '/%5Cevil.example'],
  ['path: /old, redirect: { to: https://b.example, keepPath: true }', '/old/.evil', 'https://b.example/.evil'],
  ['path: /old, redirect: { to: https://b.example, keepPath: true }', '/a/../old/b/./c', 'https://b.example/b/c'],
  ['redirect: { to: https://b.example, keepPath: true }', 'http://a/x?y', 'https://b.example/x?y'],
])('%s: %s leads to %s', async (rule, target, expected) => {
  const router = await routerOf(rule);
  const { octets, head } = requestOf(target);
  const found = router.find(octets, head);
  if (isRefusal(found) || !found.redirect) throw new Error('a redirect is expected');
  expect(redirectLocation(found.redirect, head, octets)).toBe(expected);
});

describe('the two ways to find a rule', async () => {
  const router = await routerOf(
    'name: admin, path: /admin, deny: 403',
    'name: ab, path: /a/b, methods: [GET], replacePrefix: /x',
    'name: folded, path: /Ä B/c, ignoreCase: true',
    "name: sub, path: /a, host: '*.example'",
    'name: post, path: /a, methods: [POST]',
    'name: old, path: /old, redirect: { to: /new, keepPath: true }',
  );
  const segment = fc.constantFrom(
    'admin',
    'ADMIN',
    'a',
    'b',
    'c',
    'old',
    '',
    '.',
    '..',
    'x.y',
    '.x',
    '%61',
    'a;x',
    'a%2fb',
    '%C3%84%20B',
    '"',
  );
  const target = fc
    .tuple(fc.array(segment, { minLength: 1, maxLength: 5 }), fc.constantFrom('', '?', '?a=/../admin', '?%'))
    .map(([segments, query]) => `/${segments.join('/')}${query}`);
  const asked = fc.record({
    method: fc.constantFrom('GET', 'POST', 'HEAD'),
    host: fc.constantFrom('a', 'x.example:1'),
  });

  // An absolute target is always taken apart as text, one with a path alone only when it has to be.
  test('agree on every target', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(target, asked, (path, { method, host }) => {
        const found = findIn(router, path, { method, host });
        seen.add(found.split(' ')[0]!);
        expect(findIn(router, `http://${host}${path}`, { method, host })).toBe(found);
      }),
      { numRuns: 3_000 },
    );
    expect([...seen].sort()).toEqual(['400', 'ab', 'admin', 'folded', 'old', 'otherwise', 'post', 'sub']);
  });

  test('leave nothing under /admin to any reader of what is sent on', () => {
    let sent = 0;
    fc.assert(
      fc.property(hostilePath, (path) => {
        const found = findIn(guarded, path);
        if (!found.startsWith('otherwise')) return;
        sent++;
        const got = found.split(' ')[1] ?? path;
        for (const [reader, read] of Object.entries(readers))
          if (read(got)[0] === 'admin') throw new Error(`${path} is sent on as ${got}: ${reader}`);
      }),
      { numRuns: 20_000 },
    );
    expect(sent).toBeGreaterThan(2_000);
  });
});

test('asked about one host after another, the router does not mix them up', async () => {
  const router = await routerOf('name: a, host: a.example, path: /x', 'name: b, host: b.example');
  const hosts: Asked[] = [{ host: 'a.example' }, { host: 'b.example:1' }, { host: 'c' }];
  expect([...hosts, ...hosts].map((asked) => findIn(router, '/x', asked))).toEqual([
    ...['a', 'b', 'otherwise'],
    ...['a', 'b', 'otherwise'],
  ]);
});
