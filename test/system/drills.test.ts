// Whatever goes wrong with one sidecar of the demo Pod, under load: what clients, settings and logs see of it.

import { untilServing } from '@outrigger/example-billing/demo';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drills } from './drills/faults.ts';
import { type DrillPod, startDrillPod } from './drills/pod.ts';
import { type Seen, Watch } from './drills/watch.ts';

const minute = 60_000;

type Row = {
  readonly sidecar: string;
  readonly fault: string;
  readonly seen: Seen;
  readonly lost: number;
  readonly recovery: number;
};

const rows: Row[] = [];
let pod: DrillPod;
let watch: Watch;

beforeAll(async () => {
  pod = await startDrillPod();
  await untilServing(pod, minute);
  watch = await Watch.open(pod);
  await watch.whole(minute);
}, 2 * minute);

afterAll(async () => {
  process.stdout.write(`\n${table()}\n`);
  await watch?.[Symbol.asyncDispose]();
  await pod?.[Symbol.asyncDispose]();
}, minute);

test.each(drills)(
  '$sidecar: $fault',
  async ({ sidecar, fault, harm, mayFail = false }) => {
    const seen = watch.begin();
    await harm(pod, sidecar);
    const over = performance.now();
    await watch.whole(minute);
    const recovery = performance.now() - over;
    const lost = await watch.lost(minute / 2);
    rows.push({ sidecar, fault, seen, lost: lost.length, recovery });
    expect(lost).toEqual([]);
    // Who is away or has no memory refuses connections, cuts them, or says 503; no request is answered wrongly.
    const allowed = mayFail ? ['ECONNREFUSED', 'ECONNRESET', 'status 503'] : [];
    expect([...seen.failed].filter(([how]) => !allowed.includes(how))).toEqual([]);
  },
  3 * minute,
);

test(
  'of all that was written meanwhile no line is lost',
  async () => {
    // What was rotated while it was read may have been passed over above.
    await watch.end();
    expect(await watch.lost(minute / 2)).toEqual([]);
  },
  minute,
);

function table(): string {
  const head = ['sidecar', 'fault', 'answered', 'failed', 'slowest', 'lines lost', 'stale config', 'recovery'];
  const lines = rows.map(({ sidecar, fault, seen, lost, recovery }) => [
    sidecar,
    fault,
    String(seen.answered),
    [...seen.failed].map(([how, count]) => `${count} ${how}`).join(', ') || '0',
    inSeconds(seen.slowest),
    String(lost),
    inSeconds(seen.stalest),
    inSeconds(recovery),
  ]);
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const inSeconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;
