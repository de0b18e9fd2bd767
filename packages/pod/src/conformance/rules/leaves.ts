// Between prestop and the end: not ready, but there.

import { wait } from '@outrigger/core';
import { askTraffic } from '../ask-traffic.ts';
import type { Bench } from '../bench.ts';
import { Broken, defineRule, demand, Skip } from '../rule.ts';
import type { Sidecar } from '../sidecar.ts';

/** Milliseconds to look whether anything changes that must not. */
const lookedAt = 1_000;

export const prestop = defineRule({
  id: 'life/prestop-serves',
  title: 'After prestop it is not ready, and everything else is served as before',
  reason:
    "The preStop hooks of sidecars run when the Pod's end begins, while the application still works and needs them: only new inbound work may be turned away",
  section: 'life',
  severity: 'error',
  async check(bench) {
    const sidecar = await bench.serve();
    await sayPrestop(sidecar);
    await sidecar.answers('/readyz', 503);
    const end = performance.now() + lookedAt;
    while (performance.now() < end) {
      for (const path of ['/livez', '/startupz', '/metrics', '/v1']) await answers200(sidecar, path);
      demand((await sidecar.ask('/readyz')).status === 503, '/readyz to stay 503', 'another status');
      await Promise.race([wait(100), sidecar.exited]);
      sidecar.alive('a sidecar that goes on running until SIGTERM');
    }
  },
});

/** An error's code before and after would be the same, too. */
const answered = /^(\d+|connected)$/;

export const prestopTraffic = defineRule({
  id: 'life/prestop-traffic',
  title: 'After prestop its own service answers as before',
  reason: 'Connections of a Pod that goes are moved elsewhere only after seconds; until then they are to be answered',
  section: 'life',
  severity: 'error',
  async check(bench: Bench) {
    const { traffic } = bench.subject;
    if (!traffic) throw new Skip('No --traffic names a URL of its own service');
    const url = bench.place.fill(traffic);
    const sidecar = await bench.serve();
    let before = '';
    await sidecar.until(async () => {
      before = await askTraffic(url);
      return answered.test(before);
    }, [`${url} to answer`, () => before]);
    await sayPrestop(sidecar);
    await sidecar.answers('/readyz', 503);
    const end = performance.now() + lookedAt;
    while (performance.now() < end) {
      const now = await askTraffic(url);
      demand(now === before, `${url} to answer ${before} as before prestop`, now);
      await wait(100);
    }
  },
});

export const prestopThenSigterm = defineRule({
  id: 'life/prestop-then-sigterm',
  title: 'SIGTERM after prestop stops it with exit code 0',
  reason: 'This is how every Pod with a preStop hook ends',
  section: 'life',
  severity: 'error',
  async check(bench) {
    const sidecar = await bench.serve();
    await sayPrestop(sidecar);
    sidecar.signal('SIGTERM');
    await sidecar.endsWith([0]);
  },
});

export const livezInDrain = defineRule({
  id: 'life/livez-in-drain',
  title: '/livez never fails while it leaves and stops',
  reason: 'A failed liveness probe makes the kubelet kill it in the middle of its flush',
  section: 'life',
  severity: 'error',
  async check(bench) {
    const sidecar = await bench.serve();
    await sayPrestop(sidecar);
    await answers200(sidecar, '/livez');
    sidecar.signal('SIGTERM');
    const end = performance.now() + bench.deadline;
    // Nobody answering is the end, or nearly so; an answer other than 200 is not.
    while (sidecar.running && performance.now() < end) {
      const status = await sidecar.status('/livez');
      if (status !== undefined && status !== 200) throw new Broken('/livez to answer 200 until the end', `${status}`);
    }
  },
});

async function sayPrestop(sidecar: Sidecar): Promise<void> {
  const { status, text } = await sidecar.ask('/v1/prestop', { method: 'POST' });
  demand(status >= 200 && status < 300, 'POST /v1/prestop to be accepted', `${status} ${text.slice(0, 200)}`);
}

async function answers200(sidecar: Sidecar, path: string): Promise<void> {
  const { status } = await sidecar.ask(path);
  demand(status === 200, `${path} to answer 200 after prestop`, `${status}`);
}
