import { expect, test } from 'vitest';
import { explain, explanation, listedRule, listRules } from '../../src/routes/describe.ts';
import { Router } from '../../src/routes/router.ts';
import { fileOf } from './read-routes.ts';

const file = await fileOf(`
rules:
  - { name: admin, host: '*.example.com', path: /admin, deny: 403 }
  - { name: old, path: /old, redirect: { to: 'https://example.com/new', status: 308, keepPath: true } }
  - name: api
    path: /api
    methods: [GET]
    upstream: http://127.0.0.1:9000
    replacePrefix: /
    request: { set: { Authorization: Basic c2VjcmV0 }, remove: [X-Debug] }
    bodyLimit: 1KiB
    upstreamTimeout: 5m
`);
const router = new Router(file.rules);
const asked = (path: string, more: { host?: string; method?: string } = {}) => {
  const answer = explain({ router, file, upstream: 'unix:/run/app.sock' }, { path, ...more });
  expect(explanation.parse(answer)).toEqual(answer);
  return answer;
};

test('the list shows each rule and no value of a header', () => {
  const rules = listRules(file, '127.0.0.1:8080');
  expect(rules.map((rule) => listedRule.parse(rule))).toEqual(rules);
  expect(JSON.stringify(rules)).not.toContain('c2VjcmV0');
  const place = (line: number) => expect.stringMatching(new RegExp(`routes\\.yaml:${line}:5$`));
  expect(rules).toEqual([
    { name: 'admin', place: place(3), action: 'deny', host: '*.example.com', path: '/admin', status: 403 },
    {
      ...{ name: 'old', place: place(4), action: 'redirect', path: '/old' },
      ...{ status: 308, location: 'https://example.com/new', keepPath: true },
    },
    {
      ...{ name: 'api', place: place(5), action: 'forward', path: '/api', methods: ['GET'] },
      ...{ upstream: 'http://127.0.0.1:9000/', replacePrefix: '/', bodyLimitBytes: 1024, upstreamTimeoutSeconds: 300 },
      request: { set: ['Authorization'], add: [], remove: ['X-Debug'] },
    },
  ]);
  expect(listRules(undefined, '')).toEqual([]);
});

test('a request that is sent on: where to, as what, and why', () => {
  expect(asked('/x/../api/%61?q', { host: 'example.com' })).toEqual({
    ...{ action: 'forward', rule: 'api', upstream: 'http://127.0.0.1:9000/' },
    ...{ cleanedPath: '/api/a', forwardedPath: '/a?q' },
    why: [
      { rule: 'admin', matched: false, because: 'the host is not *.example.com' },
      { rule: 'old', matched: false, because: 'the path is not under /old' },
      { rule: 'api', matched: true, because: 'the first rule that fits' },
    ],
  });
});

test('a request for which there is no rule', () => {
  expect(asked('/api', { method: 'PUT', host: 'a.example.com:8443' })).toMatchObject({
    ...{ action: 'forward', rule: 'otherwise', upstream: 'unix:/run/app.sock', forwardedPath: '/api' },
    why: [
      { rule: 'admin', because: 'the path is not under /admin' },
      { rule: 'old' },
      { rule: 'api', matched: false, because: 'the method is not one of GET' },
      { rule: 'otherwise', matched: true, because: 'no rule fits' },
    ],
  });
});

test('what the proxy answers by itself', () => {
  expect(asked('//admin', { host: 'a.example.com' })).toMatchObject({ action: 'deny', rule: 'admin', status: 403 });
  expect(asked('/old/a?b')).toMatchObject({ action: 'redirect', status: 308, location: 'https://example.com/new/a?b' });
  expect(asked('http://a.example.com/old/c', { host: 'a.example.com' })).toMatchObject({
    location: 'https://example.com/new/c',
    why: [{ because: 'the path is not under /admin' }, { rule: 'old' }],
  });
});

test.each([
  ['/a%00', {}, 400, 'path'],
  ['/admin%3fx', { host: 'a.example.com' }, 400, 'path'],
  ['/a', { host: 'a%2e' }, 400, 'host'],
  ['/a', { host: 'a b' }, 400, 'host'],
  ['relative', {}, 400, 'target'],
  ['/a#b', {}, 400, 'target'],
  ['/é', {}, 400, 'target'],
  ['/a b', {}, 400, 'request_line'],
  ['/a HTTP/1.0\r\n\r\n', {}, 400, 'target'],
  ['/a', { host: 'a\r\nX: y' }, 400, 'target'],
  ['/a', { host: 'a', method: 'CONNECT' }, 400, 'target'],
  ['/a', { method: 'TRACE' }, 405, 'method'],
  ['/'.padEnd(9000, 'x'), {}, 414, 'target_length'],
])('%j with %j is refused', (path, more, status, reason) => {
  expect(asked(path, more)).toMatchObject({ action: 'refuse', status, reason, why: [] });
});
