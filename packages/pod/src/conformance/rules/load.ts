// Probes are answered whatever else is asked, and by whom.

import { Broken, defineRule, demand } from '../rule.ts';
import type { Sidecar } from '../sidecar.ts';

// A probe as it is where the manifest says nothing else: timeoutSeconds 1, failureThreshold 3.
const probeTimeout = 1_000;
const probeAttempts = 3;

export const concurrentProbes = defineRule({
  id: 'load/concurrent-probes',
  title: '100 probes at the same time are all answered within 1 s',
  reason: 'The default time-out of a probe is 1 s; kubelet, mesh, scraper and people ask at the same moment',
  section: 'health',
  severity: 'error',
  alone: true,
  async check(bench) {
    const sidecar = await bench.serve();
    const paths = ['/livez', '/startupz', '/livez', '/metrics'];
    let slowest = 0;
    // Who is slow once may have met a busy machine.
    for (let attempt = 0; attempt < probeAttempts; attempt++) {
      const asked = Array.from({ length: 100 }, (_, index) => timed(sidecar, paths[index % paths.length]!));
      slowest = Math.max(...(await Promise.all(asked)));
      if (slowest < probeTimeout) return;
    }
    throw new Broken(`each within ${probeTimeout} ms`, `${Math.round(slowest)} ms, three times`);
  },
});

/** Milliseconds until it answers 200. */
async function timed(sidecar: Sidecar, path: string): Promise<number> {
  const begun = performance.now();
  const { status } = await sidecar.ask(path);
  demand(status === 200, `${path} to answer 200`, `${status}`);
  return performance.now() - begun;
}

export const slowHeaders = defineRule({
  id: 'load/slow-headers',
  title: 'A hundred clients that never finish their headers keep no probe waiting',
  reason: 'The port is open to the whole cluster; one client that stalls must not cost the Pod its health',
  section: 'health',
  severity: 'error',
  alone: true,
  async check(bench) {
    const sidecar = await bench.serve();
    const unfinished = 'GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ';
    const sockets = await Promise.all(Array.from({ length: 100 }, () => bench.stall(unfinished)));
    for (let round = 0; round < 5; round++) {
      for (const socket of sockets) if (socket.writable) socket.write('a');
      await answersInTime(sidecar);
    }
  },
});

export const malformed = defineRule({
  id: 'load/malformed-requests',
  title: 'Malformed and huge requests are refused, and the next probe is answered',
  reason: 'Scanners send anything to any port; one bad request must not end the process or fill its memory',
  section: 'health',
  severity: 'error',
  alone: true,
  async check(bench) {
    const sidecar = await bench.serve();
    for (const text of [
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
      'GET\r\n\r\n',
      'GET /livez HTTP/9.9\r\n\r\n',
      'POST /v1/prestop HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n',
      'GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nZ\r\n',
      `GET /${'a'.repeat(1024 * 1024)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      `GET /livez HTTP/1.1\r\nHost: localhost\r\n${'X-Many: 1\r\n'.repeat(100_000)}\r\n`,
      'GET /../../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n',
      'GET /livez%00%ff HTTP/1.1\r\nHost: localhost\r\n\r\n',
    ]) {
      const socket = await bench.stall(text);
      await answersInTime(sidecar);
      socket.destroy();
    }
  },
});

async function answersInTime(sidecar: Sidecar): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { status } = await sidecar.ask('/livez', { timeout: probeTimeout });
      return demand(status === 200, '/livez to answer 200 meanwhile', `${status}`);
    } catch (error) {
      if (attempt === probeAttempts) throw error;
    }
  }
}
