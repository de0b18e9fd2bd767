// What `proxy doctor` prints, as a process.

import { fileURLToPath } from 'node:url';
import { freePort, startPeer } from '@outrigger/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { examine } from './examine.ts';
import { application } from './habits.ts';

const program = fileURLToPath(import.meta.resolve('./alone.ts'));

async function doctor(...flags: readonly string[]) {
  await using peer = await startPeer(process.execPath, [program, 'doctor', ...flags]);
  const { code } = await peer.exited;
  return { code, stdout: peer.stdout, stderr: peer.stderr };
}

test('the report as text: one line for each finding, advice below it, and flags to paste', async () => {
  await using app = await application({ headLimit: 16_384, headBody: true });
  const { code, stdout, stderr } = await doctor('--target', app.url, '--patience', '200ms');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.replace(/ in \d+ms/, ' in 1ms').replaceAll(app.url, 'URL')).toBe(`URL
    http               http/1.1    200 in 1ms
    response-length    length      Content-Length
    h2c                no          "HTTP/1.1 400 No\\r\\nContent..." to the preface of HTTP/2
    header-case        any         "host:" is as good as "Host:"
  ! head-size          16KiB       431 to a head of 32KiB
                                   The proxy can refuse what is too large for it, with a reason
    absolute-form      understood  200 to GET URL/
    http-1.0           answered    200 to HTTP/1.0
  ! head               with-body   200, then "ok"
                                   A response to HEAD has no body; the proxy drops it, and the connection with it
    get-length         read        200, and the next request as usual
    get-chunked        read        200, and the next request as usual
    expect             answered    100 before the body
    pipelining         answered    both of two requests at once
    half-close         answered    200 after the client's end
    connection-close   honoured    200, then a close
    extra-octets       none        nothing comes after the response
    keep-alive         kept        two requests on one connection
    idle-time          open        still open after 200ms
    second-connection  served      200 while the first was idle

suggested parameters:
  --upstream URL --upstream-idle-timeout 120ms --head-limit 15KiB
`);
});

test('the report as JSON: findings, and the parameters as keys of the config file and as flags', async () => {
  const port = await freePort();
  const target = `http://127.0.0.1:${port}`;
  const { code, stdout } = await doctor('--target', target, '--format', 'json');
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toEqual({
    target,
    served: false,
    findings: [
      {
        id: 'http',
        outcome: 'unreachable',
        evidence: `connect ECONNREFUSED 127.0.0.1:${port}`,
        advice: 'Is it running, and does it listen there?',
      },
    ],
    parameters: {},
    flags: [],
  });
});

test('what cannot be served is said as text', async () => {
  await using app = await application({ answers: '' });
  const { code, stdout } = await doctor('--target', app.url);
  expect(code).toBe(1);
  expect(stdout).toBe(`${app.url}
  ! http  closed  a close without an answer
                  Does it speak another protocol, or TLS?
    h2c   no      a close to the preface of HTTP/2

The proxy cannot serve it as it is.
`);
});

test('wrong flags are listed with exit code 64', async () => {
  const wrong = await doctor(
    '--target',
    'localhost:8080',
    '--path',
    '/a b',
    '--host',
    'a\r\nb',
    '--probe-post',
    'echo',
  );
  expect(wrong.code).toBe(64);
  expect(wrong.stderr).toBe(`proxy doctor: 4 parameters are wrong
  --target      localhost:8080 (--target): a URL such as http://127.0.0.1:8080 is expected
  --path        /a b (--path): a path such as /status is expected
  --host        a\\r\\nb (--host): a host such as shop.example.com is expected
  --probe-post  echo (--probe-post): a path such as /echo is expected
`);
});

test('whatever an application answers, there is a report', async () => {
  const start = fc.constantFrom(
    '',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.0 200\r\nContent-Length: 5\r\n\r\n',
    'HTTP/1.1 100 C\r\n\r\n',
  );
  const rest = fc.oneof(
    fc.string({ unit: 'binary-ascii' }),
    fc.constantFrom('\r\n\r\n', 'a: b\r\n\r\nok', 'HTTP/1.1 204\r\n\r\n'),
  );
  await fc.assert(
    fc.asyncProperty(fc.tuple(start, rest, rest), async (parts) => {
      await using app = await application({ answers: parts.join('') });
      const report = await examine(app.url, '--timeout', '200ms', '--patience', '100ms');
      expect(report.findings[0]!.id).toBe('http');
      expect(report.findings.map(({ outcome }) => outcome)).not.toContain('unknown');
    }),
    { numRuns: 40 },
  );
});
