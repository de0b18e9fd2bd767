import { freePort, startSidecar } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import { Asker } from '../src/ask.ts';
import { httpPeer, sidecarPeer, tcpPeer } from './peer.ts';

const { signal } = new AbortController();
const soon = 300;
const ask = (url: URL, timeout: number, stop: AbortSignal) => new Asker(url).ask(timeout, stop);

describe('a sidecar', () => {
  test('that is ready says its phase and version', async () => {
    await using real = await startSidecar(import.meta.resolve('../src/main.ts'), [], { ready: true });
    expect(await ask(new URL(real.url), 5_000, signal)).toEqual({
      kind: 'answered',
      failing: undefined,
      phase: 'serving',
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    });
  });

  test('that fails its readiness says which checks failed and why', async () => {
    await using peer = await sidecarPeer(
      () =>
        '[+]start ok\n[-]upstream failed: no answer since 2026-01-01T00:00:00.000Z\n[-]tls failed: expired\nreadyz check failed\n',
    );
    expect(await ask(peer.url, 5_000, signal)).toEqual({
      kind: 'answered',
      failing: 'upstream: no answer; tls: expired',
      phase: 'serving',
      version: '1.2.3',
    });
  });

  test('under a path is asked under that path', async () => {
    const asked: string[] = [];
    await using peer = await httpPeer(({ url }, response) => {
      asked.push(url!);
      response.end('{"phase":"serving","version":"1"}');
    });
    await ask(new URL('/admin', peer.url), 5_000, signal);
    expect(asked).toEqual(['/admin/readyz?verbose', '/admin/v1']);
  });

  test('is asked for its phase again only when its checks have changed', async () => {
    const asked: string[] = [];
    let checks = '[+]start ok\n';
    await using peer = await httpPeer(({ url }, response) => {
      asked.push(url!);
      response.end(url === '/v1' ? '{"phase":"serving","version":"1"}' : checks);
    });
    const asker = new Asker(peer.url);
    const phases = [await asker.ask(5_000, signal), await asker.ask(5_000, signal)];
    checks = '[+]start ok\n[+]leaving ok\n';
    phases.push(await asker.ask(5_000, signal));
    expect(phases).toMatchObject([{ phase: 'serving' }, { phase: 'serving' }, { phase: 'serving' }]);
    expect(asked.filter((path) => path === '/v1')).toHaveLength(2);
  });

  test('is not waited for when the monitor stops', async () => {
    await using peer = await tcpPeer(() => undefined);
    const stop = new AbortController();
    const answer = ask(peer.url, 60_000, stop.signal);
    stop.abort();
    expect(await answer).toMatchObject({ kind: expect.any(String) });
  });

  test('where nothing listens is absent', async () => {
    const url = new URL(`http://127.0.0.1:${await freePort()}`);
    expect(await ask(url, 5_000, signal)).toEqual({ kind: 'absent', reason: 'connection refused' });
  });

  test('at a host that does not exist is silent', async () => {
    expect(await ask(new URL('http://nowhere.invalid:9401'), 5_000, signal)).toMatchObject({ kind: 'silent' });
  });
});

describe('a peer that', () => {
  const silent = { kind: 'silent', reason: `no answer within ${soon} ms` };

  test('accepts and says nothing is silent after the time-out', async () => {
    await using peer = await tcpPeer(() => undefined);
    expect(await ask(peer.url, soon, signal)).toEqual(silent);
  });

  test('drips a byte now and then does not outlast the time-out', async () => {
    await using peer = await httpPeer((_, response) => {
      const drip = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(drip));
    });
    expect(await ask(peer.url, soon, signal)).toEqual(silent);
  });

  test('answers one question and not the other is silent', async () => {
    await using peer = await httpPeer(({ url }, response) => void (url !== '/v1' && response.end('ok\n')));
    expect(await ask(peer.url, soon, signal)).toEqual(silent);
  });

  test('talks without end is cut off', async () => {
    let sent = 0;
    await using peer = await httpPeer((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) sent += 65_536;
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    expect(await ask(peer.url, 5_000, signal)).toMatchObject({ kind: 'answered', failing: expect.any(String) });
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  test.each([
    [
      'speaks another protocol',
      (write: (text: string) => void) => write('SSH-2.0-OpenSSH_9.6\r\n'),
      'it does not speak HTTP',
    ],
    ['closes at once', (write: (text: string) => void) => write(''), 'it closed the connection without an answer'],
  ])('%s is failing', async (_, say, failing) => {
    await using peer = await tcpPeer((socket) => say((text) => socket.end(text)));
    expect(await ask(peer.url, 5_000, signal)).toMatchObject({ kind: 'answered', failing });
  });

  test.each([
    ['has no such path', 404, '<html>Not found</html>', 'it answered /readyz with 404, which no sidecar does'],
    ['redirects, which is not followed', 302, '', 'it answered /readyz with 302, which no sidecar does'],
    ['fails without a reason', 503, 'nope', 'it answered 503'],
    ['is no sidecar', 200, 'Hello', 'it does not answer /v1 as a sidecar does'],
    ['answers JSON of another shape', 200, 'null', 'it does not answer /v1 as a sidecar does'],
  ])('%s is failing', async (_, status, body, failing) => {
    await using peer = await httpPeer((_request, response) => {
      response.writeHead(status, status === 302 ? { location: 'http://169.254.169.254/' } : {}).end(body);
    });
    expect(await ask(peer.url, 5_000, signal)).toEqual({
      kind: 'answered',
      failing,
      phase: undefined,
      version: undefined,
    });
  });

  test('sends control characters has them taken out', async () => {
    await using peer = await sidecarPeer(() => '[-]x failed: \u001b[31mred\u202e\u0007\n');
    expect(await ask(peer.url, 5_000, signal)).toMatchObject({ failing: 'x:  [31mred ' });
  });
});
