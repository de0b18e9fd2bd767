// Stopping: SIGTERM at any moment, as any process, with anybody still connected.

import { connect } from 'node:net';
import { wait } from '@outrigger/core';
import { defineRule, demand, Skip } from '../rule.ts';
import { asProcessOne } from '../surroundings.ts';

export const sigterm = defineRule({
  id: 'life/sigterm',
  title: 'SIGTERM stops it with exit code 0 within the deadline',
  reason:
    'SIGTERM to a sidecar means that nobody needs it any more; what does not end is killed, and loses what it holds',
  section: 'life',
  severity: 'error',
  async check(bench) {
    const sidecar = await bench.serve();
    sidecar.signal('SIGTERM');
    await sidecar.endsWith([0]);
  },
});

export const sigtermAsProcessOne = defineRule({
  id: 'life/sigterm-as-pid-1',
  title: 'SIGTERM stops it when it is process 1',
  reason: 'In a container it is process 1, to which the kernel delivers no signal that it does not handle itself',
  section: 'life',
  severity: 'error',
  async check(bench) {
    const sidecar = await bench.serve({ inside: asProcessOne });
    sidecar.signal('SIGTERM');
    await sidecar.endsWith([0]);
  },
});

export const sigtermBeforeReady = defineRule({
  id: 'life/sigterm-before-ready',
  title: 'SIGTERM stops it with exit code 0 as soon as anything answers, ready or not',
  reason: 'A Pod may be deleted while it starts; a handler that is installed last leaves the default action until then',
  section: 'life',
  severity: 'error',
  async check(bench) {
    const sidecar = await bench.start();
    await sidecar.until(() => accepts(bench.place.port), ['its admin port to be open', () => 'no connection']);
    sidecar.signal('SIGTERM');
    await sidecar.endsWith([0]);
  },
});

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Milliseconds: what "at once" may take on a busy machine. */
const atOnce = 2_000;

export const secondSigterm = defineRule({
  id: 'life/sigterm-twice',
  title: 'A second SIGTERM ends it at once, and in order',
  reason:
    'When the grace period is over the kubelet signals everybody again and kills two seconds later: the second one is the last chance to say what was left',
  section: 'life',
  severity: 'error',
  async check(bench) {
    const sidecar = await bench.serve();
    sidecar.signal('SIGTERM');
    await wait(20);
    if (sidecar.running) sidecar.signal('SIGTERM');
    const { signal } = await sidecar.ended(atOnce);
    // An engine's client takes for itself what it can pass on to nobody; of a container's own death by it, it says code 143.
    if (bench.inContainer && signal === 'SIGTERM') throw new Skip('The container had ended before the second signal');
    // 75: something was left.
    await sidecar.endsWith([0, 75], atOnce);
  },
});

export const openConnections = defineRule({
  id: 'life/exit-with-open-connections',
  title: 'SIGTERM stops it within the deadline although clients stay connected',
  reason:
    'Scrapers and pages keep connections open; a server that waits for their end is killed at the end of the grace period',
  section: 'life',
  severity: 'error',
  async check(bench) {
    const sidecar = await bench.serve();
    const idle = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const stream = 'GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const half = 'GET /livez HTTP/1.1\r\nHost: loc';
    for (const text of [idle, stream, half]) await bench.stall(text);
    await sidecar.answers('/livez');
    sidecar.signal('SIGTERM');
    await sidecar.endsWith([0]);
  },
});

export const shutdownRequest = defineRule({
  id: 'life/shutdown-request',
  title: 'POST /v1/shutdown stops it with exit code 0',
  reason: 'Where sidecars are ordinary containers (Jobs before 1.29), nobody sends SIGTERM when the work is done',
  section: 'life',
  severity: 'error',
  async check(bench) {
    const sidecar = await bench.serve();
    const { status, text } = await sidecar.ask('/v1/shutdown', { method: 'POST' });
    demand(status >= 200 && status < 300, 'POST /v1/shutdown to be accepted', `${status} ${text.slice(0, 200)}`);
    await sidecar.endsWith([0]);
  },
});

export const sighup = defineRule({
  id: 'life/sighup',
  title: 'SIGHUP does not end it',
  reason: 'SIGHUP means "read your parameters again"; its default action is to kill',
  section: 'life',
  severity: 'error',
  async check(bench) {
    const sidecar = await bench.serve();
    sidecar.signal('SIGHUP');
    await Promise.race([wait(500), sidecar.exited]);
    sidecar.alive('a sidecar that goes on running');
    await sidecar.answers('/livez');
  },
});
