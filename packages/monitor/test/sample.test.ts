import { existsSync } from 'node:fs';
import { type Peer, until } from '@outrigger/core/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Attribution, type Snapshot } from '../src/attribute.ts';
import { Sampler } from '../src/sample.ts';
import { runProcess, said, script } from './run-process.ts';

// Each test is a Pod of its own.
let tests = 0;
let env: Record<string, string>;

beforeEach(() => {
  const id = `sample-${process.pid}-${++tests}`;
  process.env.OUTRIGGER_POD_ID = id;
  env = { OUTRIGGER_POD_ID: id, OUTRIGGER_CONTAINER: 'app' };
});
afterEach(() => {
  delete process.env.OUTRIGGER_POD_ID;
});

function watch(): () => Promise<Snapshot> {
  const sampler = new Sampler();
  const attribution = new Attribution({ showArguments: false });
  return async () => attribution.next(await sampler.take());
}

const find = ({ processes }: Snapshot, pid: number) => processes.find((each) => each.pid === pid);

const tell = async (child: Peer, what: string) => {
  child.process.stdin!.write(what);
  return said(child);
};

/** Busy for at most 30 s; says what it has used when it is asked. */
const burner = script(`
  const end = Date.now() + 30000;
  process.stdin.on('data', () => {
    const { user, system } = process.cpuUsage();
    process.stdout.write(JSON.stringify({ cpu: (user + system) / 1e6, at: performance.now() / 1e3 }));
  });
  const burn = () => {
    for (const pause = Date.now() + 5; Date.now() < pause; );
    if (Date.now() < end) setImmediate(burn); else process.exit();
  };
  burn();`);

const mebibytes = 1024 * 1024;

/** Keeps as many bytes more as it is told. */
const holder = script(`
  const held = [];
  process.stdin.on('data', (bytes) => { held.push(Buffer.alloc(Number(bytes), 1)); process.stdout.write('held'); });
  process.stdout.write('up');`);

describe.runIf(existsSync('/proc/self/stat'))('real processes', () => {
  test('a busy process has the share of a core that it got', async () => {
    await using child = await runProcess(...burner, { env });
    const ask = async () => JSON.parse(await tell(child, '?')) as { cpu: number; at: number };
    const look = watch();
    const before = await ask();
    await look();
    await until(async () => (await ask()).cpu > before.cpu + 1, { deadline: 20_000, what: 'a second of work' });
    const share = find(await look(), child.pid)!.cpu;
    const after = await ask();
    // The machine may be busy with other things: what counts is what the process itself measures, 1 when it is not.
    const truth = (after.cpu - before.cpu) / (after.at - before.at);
    expect(Math.abs(share - truth)).toBeLessThan(0.15);
    expect(share).toBeLessThan(1.1);
  });

  test('memory that a process takes shows at once', async () => {
    await using child = await runProcess(...holder, { env });
    await said(child);
    const look = watch();
    const memory = async () => find(await look(), child.pid)!;
    const before = await memory();
    expect(before.memoryKind).toBe('pss');
    await tell(child, String(64 * mebibytes));
    expect((await memory()).memory - before.memory).toBeGreaterThan(60 * mebibytes);
    expect((await memory()).memory - before.memory).toBeLessThan(80 * mebibytes);
  });

  test('the time of children that came and went is in the total of their container, once', async () => {
    // The shell says what its children took: the last line of times.
    const work = 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done';
    const shell = `echo up; read x; for n in 1 2 3 4 5; do sh -c '${work}'; done; times; read x`;
    await using child = await runProcess('sh', ['-c', shell], { env });
    await said(child);
    const look = watch();
    await look();
    child.process.stdin!.write('\n');
    // Looking all the time sees some of them half way and others never.
    const total = await until(async () => {
      const [container] = (await look()).containers;
      return child.stdout.split('\n').length > 3 && container;
    });
    const truth = [...child.stdout.split('\n')[2]!.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
      (sum, [, m, s]) => sum + Number(m) * 60 + Number(s),
      0,
    );
    expect(truth).toBeGreaterThan(0.1);
    expect(Math.abs(total.cpuSeconds - truth)).toBeLessThan(0.1 + truth * 0.1);
  });

  test('a process that has ended is in no later sample, and its container neither', async () => {
    await using child = await runProcess('sleep', ['60'], { env });
    const look = watch();
    await until(async () => find(await look(), child.pid)?.name === 'sleep');
    await child[Symbol.asyncDispose]();
    expect(await look()).toMatchObject({ processes: [], containers: [] });
  });
});
