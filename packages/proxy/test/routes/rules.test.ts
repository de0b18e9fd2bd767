import { expect, test } from 'vitest';
import { readFile } from './read-routes.ts';

const file = (...rules: string[]) => `rules:\n${rules.map((rule) => `  - { ${rule} }\n`).join('')}`;

test('a file with every key is accepted', async () => {
  const { file: read, problems } = await readFile(`
rules:
  - name: admin
    host: '*.Example.com.'
    path: /admin/
    ignoreCase: true
    methods: [GET, POST]
    deny: 403
  - path: /old
    redirect: { to: 'https://example.com/new', status: 308, keepPath: true }
  - path: /api/
    upstream: http://127.0.0.1:9000
    replacePrefix: /
    request: { set: { X-Team: api }, add: { Via: outrigger }, remove: [X-Debug] }
    response: { set: { Cache-Control: no-store }, remove: [Server] }
    bodyLimit: 10MiB
    upstreamTimeout: 5m
  - upstream: unix:/run/app.sock
    bodyLimit: 1024
`);
  expect(problems).toEqual([]);
  const [admin, old, api, rest] = read!.rules;
  expect(read!.rules.map(({ name }) => name)).toEqual(['admin', 'rules[1]', 'rules[2]', 'rules[3]']);
  expect(admin!.place).toMatch(/routes\.yaml:3:5$/);
  expect([admin!.deny, [...admin!.methods!]]).toEqual([403, ['GET', 'POST', 'HEAD']]);
  expect(old!.redirect).toEqual({ to: 'https://example.com/new', status: 308, keepPath: true, depth: 1 });
  expect([api!.upstream, api!.replacement, api!.bodyLimit, api!.upstreamTimeout]).toEqual([
    ...['http://127.0.0.1:9000/', '', 10 * 1024 * 1024, 300_000],
  ]);
  expect([rest!.upstream, rest!.bodyLimit, rest!.request]).toEqual(['unix:/run/app.sock', 1024, undefined]);
});

test('an empty list of rules is accepted', async () => {
  expect((await readFile('rules: []\n')).file?.rules).toEqual([]);
});

test.each<[what: string, content: string, found: string[]]>([
  ['no rules', '{}\n', ['(routes.yaml:1:1): rules: is missing: a list is expected']],
  [
    'misspelt keys',
    file('nmae: a, deny: 403', 'redirect: { too: /x }'),
    [
      '(routes.yaml:2:7): rules[0].nmae: unknown; did you mean name?',
      '(routes.yaml:3:17): rules[1].redirect.to: is missing: text is expected',
      '(routes.yaml:3:19): rules[1].redirect.too: unknown; did you mean to?',
    ],
  ],
  [
    'a status that denies nothing',
    file('deny: 200', 'deny: 403.5', 'deny: no'),
    [
      '200 (routes.yaml:2:13): rules[0].deny: a status from 400 to 599 is expected',
      '403.5 (routes.yaml:3:13): rules[1].deny: a status from 400 to 599 is expected',
      'no (routes.yaml:4:13): rules[2].deny: a status from 400 to 599 is expected',
    ],
  ],
  [
    'two actions',
    file('deny: 403, redirect: { to: /x }, upstream: http://127.0.0.1:1'),
    [
      '{"to":"/x"} (routes.yaml:2:28): rules[0].redirect: the rule has deny already',
      'http://127.0.0.1:1 (routes.yaml:2:50): rules[0].upstream: the rule has deny already',
    ],
  ],
  [
    'keys without effect',
    file('deny: 403, bodyLimit: 1KiB, ignoreCase: true', 'path: /x, redirect: { to: / }, request: { remove: [A] }'),
    [
      '1KiB (routes.yaml:2:29): rules[0].bodyLimit: has no effect together with deny',
      'true (routes.yaml:2:47): rules[0].ignoreCase: has no effect without path',
      '{"remove":["A"]} (routes.yaml:3:47): rules[1].request: has no effect together with redirect',
    ],
  ],
  [
    'paths that are none',
    file(
      ...['admin', '/a?b', '/a/../b', '/a//b', '/a;b', '/a%2fb', '/a%', "'/a\\b'", '/%00'].map(
        (path) => `path: ${path}`,
      ),
    ),
    [
      'admin (routes.yaml:2:13): rules[0].path: a path such as /admin is expected',
      '/a?b (routes.yaml:3:13): rules[1].path: a path without ?, #, ;, \\ and escaped slashes is expected',
      '/a/../b (routes.yaml:4:13): rules[2].path: a path without dot segments and doubled slashes is expected',
      '/a//b (routes.yaml:5:13): rules[3].path: a path without dot segments and doubled slashes is expected',
      '/a;b (routes.yaml:6:13): rules[4].path: a path without ?, #, ;, \\ and escaped slashes is expected',
      '/a%2fb (routes.yaml:7:13): rules[5].path: a path without ?, #, ;, \\ and escaped slashes is expected',
      '/a% (routes.yaml:8:13): rules[6].path: The path holds a % that two hexadecimal digits do not follow',
      '/a\\b (routes.yaml:9:13): rules[7].path: a path without ?, #, ;, \\ and escaped slashes is expected',
      '/%00 (routes.yaml:10:13): rules[8].path: The path holds an escaped control character',
    ],
  ],
  [
    'hosts that are none',
    file(...["'*'", 'https://a', 'a:80', "'*.*.a'", 'a/b', 'münchen.de', "''"].map((host) => `host: ${host}`)),
    ['*', 'https://a', 'a:80', '*.*.a', 'a/b', 'münchen.de', '""'].map(
      (host, index) =>
        `${host} (routes.yaml:${index + 2}:13): rules[${index}].host: a host such as example.com or *.example.com is expected, without scheme and port`,
    ),
  ],
  [
    'methods',
    file('methods: []', 'methods: [get, "A B"]'),
    ['[] (routes.yaml:2:16): rules[0].methods: at least one method is expected'],
  ],
  [
    'methods in the wrong case',
    file('methods: [get, "A B"]'),
    [
      'get (routes.yaml:2:17): rules[0].methods[0]: methods have their case: GET is expected',
      '"A B" (routes.yaml:2:22): rules[0].methods[1]: a method is expected',
    ],
  ],
  [
    'redirects to nowhere',
    file(
      ...[
        '//evil.example',
        '/\\evil',
        'ftp://a',
        'javascript:alert(1)',
        'https://me:hush@a/',
        '"/a\\r\\nX: y"',
        'new',
      ].map((to) => `path: /x, redirect: { to: ${/["]/.test(to) ? to : `'${to}'`} }`),
    ),
    [
      ...[
        '//evil.example',
        '/\\evil',
        'ftp://a',
        'javascript:alert(1)',
        'https://[redacted]@a/',
        '"/a\\r\\nX: y"',
        'new',
      ].map(
        (to, index) =>
          `${to} (routes.yaml:${index + 2}:33): rules[${index}].redirect.to: a URL such as https://example.com/new or a path is expected`,
      ),
    ],
  ],
  [
    'a redirect with another status, or with a query that a path would follow',
    file('redirect: { to: /x, status: 200 }'),
    ['200 (routes.yaml:2:35): rules[0].redirect.status: 301, 302, 303, 307 or 308 is expected'],
  ],
  [
    'a query that a path would follow',
    file("path: /a, redirect: { to: '/x?y=', keepPath: true }"),
    ['/x?y= (routes.yaml:2:33): rules[0].redirect.to: has a query or fragment, to which no path can be appended'],
  ],
  [
    'a redirect to itself',
    file('redirect: { to: /login }', 'path: /b, redirect: { to: /b/c?d }'),
    [
      '/login (routes.yaml:2:23): rules[0].redirect.to: it leads back to this rule',
      '/b/c?d (routes.yaml:3:33): rules[1].redirect.to: it leads back to this rule',
    ],
  ],
  [
    'wrong upstreams',
    file('upstream: https://a', 'path: /b, upstream: http://127.0.0.1:1/x', 'path: /c, upstream: localhost'),
    [
      'https://a (routes.yaml:2:17): rules[0].upstream: a URL such as http://127.0.0.1:9000 is expected',
      'http://127.0.0.1:1/x (routes.yaml:3:27): rules[1].upstream: a URL of scheme, host and port alone is expected: requests keep their own path',
      'localhost (routes.yaml:4:27): rules[2].upstream: a URL such as http://127.0.0.1:9000 is expected',
    ],
  ],
  [
    'quantities',
    file('bodyLimit: much, upstreamTimeout: 1ms'),
    [
      'much (routes.yaml:2:18): rules[0].bodyLimit: a size such as 512B, 64KiB or 1MiB is expected',
      '1ms (routes.yaml:2:41): rules[0].upstreamTimeout: a duration of at least 50ms is expected',
    ],
  ],
  [
    'replacements',
    file('path: /a, replacePrefix: b', 'path: /b, replacePrefix: /ä', 'path: /c, replacePrefix: /../x'),
    [
      'b (routes.yaml:2:32): rules[0].replacePrefix: a path such as /admin is expected',
      '/ä (routes.yaml:3:32): rules[1].replacePrefix: a path is expected in which everything but visible ASCII characters is escaped',
      '/../x (routes.yaml:4:32): rules[2].replacePrefix: a path without dot segments and doubled slashes is expected',
    ],
  ],
  [
    'headers that are not for rules',
    file(
      'request: { set: { Host: a, Content-Length: "1", x_forwarded_for: b, X-Real-IP: c }, remove: [Connection, TE, "a b"] }',
    ),
    [
      'a (routes.yaml:2:31): rules[0].request.set.Host: Host is left to the proxy: it frames messages, belongs to the connection or says who the client is',
      '1 (routes.yaml:2:50): rules[0].request.set.Content-Length: Content-Length is left to the proxy: it frames messages, belongs to the connection or says who the client is',
      'b (routes.yaml:2:72): rules[0].request.set.x_forwarded_for: x_forwarded_for is left to the proxy: it frames messages, belongs to the connection or says who the client is',
      'c (routes.yaml:2:86): rules[0].request.set.X-Real-IP: X-Real-IP is left to the proxy: it frames messages, belongs to the connection or says who the client is',
      'Connection (routes.yaml:2:100): rules[0].request.remove[0]: Connection is left to the proxy: it frames messages, belongs to the connection or says who the client is',
      'TE (routes.yaml:2:112): rules[0].request.remove[1]: TE is left to the proxy: it frames messages, belongs to the connection or says who the client is',
      '"a b" (routes.yaml:2:116): rules[0].request.remove[2]: the name of a header is expected',
    ],
  ],
  [
    'the same in other spellings, and in responses',
    file('response: { add: { transfer_encoding: chunked, UPGRADE: x } }'),
    ['transfer_encoding', 'UPGRADE'].map(
      (name, index) =>
        `${['chunked', 'x'][index]} (routes.yaml:2:${[45, 63][index]}): rules[0].response.add.${name}: ${name} is left to the proxy: it frames messages, belongs to the connection or says who the client is`,
    ),
  ],
  [
    'values that hold line ends',
    file('request: { set: { A: "b\\r\\nC: d", B: "\\0", C: "\\u2028", D: 5 } }').replace(', D: 5', ''),
    [
      '"b\\r\\nC: d" (routes.yaml:2:28): rules[0].request.set.A: visible ASCII characters on one line are expected',
      '\\u0000 (routes.yaml:2:44): rules[0].request.set.B: visible ASCII characters on one line are expected',
      `${JSON.stringify('\u2028')} (routes.yaml:2:53): rules[0].request.set.C: visible ASCII characters on one line are expected`,
    ],
  ],
  [
    'a header that is no text',
    file('request: { set: { D: 5 } }'),
    ['5 (routes.yaml:2:28): rules[0].request.set.D: text is expected'],
  ],
  [
    'headers without end',
    file(`request: { set: { A: ${'x'.repeat(9000)} } }`),
    [
      `{"set":{"A":"${'x'.repeat(47)}... (routes.yaml:2:16): rules[0].request: its lines take 9005 octets, at most 8192 are expected`,
    ],
  ],
  [
    'names',
    file('name: otherwise, path: /a', 'name: "a/b", path: /b', 'name: c, path: /c', 'name: c, path: /d'),
    [
      'otherwise (routes.yaml:2:13): rules[0].name: otherwise is what requests get for which there is no rule',
      'a/b (routes.yaml:3:13): rules[1].name: a name of at most 64 letters and digits is expected',
      'c (routes.yaml:5:13): rules[3].name: routes.yaml:4:5 has this name',
    ],
  ],
  [
    'rules that are never reached',
    file(
      "name: a, host: '*.b', path: /x, methods: [GET]",
      'host: c.b, path: /x/y, methods: [HEAD]',
      'name: all',
      'path: /z',
    ),
    [
      '{"host":"c.b","path":"/x/y","methods":["HEAD"]} (routes.yaml:3:5): rules[1]: is never reached: a at routes.yaml:2:5 is for all of its requests',
      '{"path":"/z"} (routes.yaml:5:5): rules[3]: is never reached: all at routes.yaml:4:5 is for all of its requests',
    ],
  ],
  [
    'more rules than anybody needs',
    file(...Array.from({ length: 501 }, (_, index) => `path: /${index}`)),
    [expect.stringMatching(/routes\.yaml:2:3\): rules: at most 500 rules are expected$/) as unknown as string],
  ],
])('%s', async (_, content, found) => {
  expect((await readFile(content)).problems).toEqual(found);
});

test.each([
  ['another path', 'path: /a', 'path: /ab'],
  ['a wider path', 'path: /a/b', 'path: /a'],
  ['a wildcard after a name', 'host: a.b', "host: '*.b'"],
  ['another host', "host: '*.b'", 'host: b'],
  ['any host', 'host: a', 'path: /x'],
  ['more methods', 'methods: [GET]', 'methods: [GET, POST]'],
  ['any case', 'path: /a', 'path: /a, ignoreCase: true'],
  ['a redirect to what an earlier rule is for', 'path: /login', 'redirect: { to: /login }'],
])('%s is reached', async (_, first, second) => {
  expect((await readFile(file(first, second))).problems).toEqual([]);
});
