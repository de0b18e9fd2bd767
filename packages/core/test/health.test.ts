import { describe, expect, test } from 'vitest';
import { Health } from '../src/health.ts';
import { until } from '../src/testing/index.ts';
import { Watchdog } from '../src/watchdog.ts';

const only = (health: Health, probe: 'livez' | 'readyz' | 'startupz' = 'readyz') => {
  const [result] = health.results(probe);
  return result!;
};

describe('latches', () => {
  test('hold readiness from the beginning, and say since when their state is what it is', async () => {
    const health = new Health();
    const latch = health.latch('sources');
    const before = only(health);
    expect(before).toMatchObject({ name: 'sources', reason: 'not yet' });
    await until(() => Date.now() > before.since.getTime());
    const at = Date.now();
    latch.release();
    await until(() => Date.now() > at);
    // Nobody has looked in between: the time is that of the change.
    expect(only(health).reason).toBeUndefined();
    expect(only(health).since.getTime()).toBeLessThanOrEqual(at + 1);
    expect(health.passes('readyz')).toBe(true);
    latch.hold('the file is gone');
    expect(only(health).reason).toBe('the file is gone');
    expect(health.passes('readyz')).toBe(false);
  });

  test('a new reason does not begin a new time', async () => {
    const health = new Health();
    const latch = health.latch('sink');
    const { since } = only(health);
    await until(() => Date.now() > since.getTime());
    latch.hold('connection refused');
    expect(only(health)).toMatchObject({ reason: 'connection refused', since });
  });

  test('with several holders are released by the last, and name those who hold them', () => {
    const health = new Health();
    const [forward, splunk] = ['forward', 'splunk'].map((sink) => health.latch('sinks', sink));
    splunk!.hold('401');
    expect(only(health).reason).toMatch(/^held by forward \(not yet since \S+Z\), splunk \(401 since \S+Z\)$/);
    splunk!.release();
    expect(only(health).reason).toMatch(/^held by forward \(not yet since \S+Z\)$/);
    forward!.release();
    expect(only(health).reason).toBeUndefined();
    expect(health.results('readyz')).toHaveLength(1);
    expect(() => health.latch('sinks', 'forward')).toThrow('Two holders of one latch are named "forward"');
    expect(() => health.latch('sinks')).toThrow('Two health checks are named "sinks"');
  });
});

describe('checks', () => {
  test('one that throws fails with what it threw', () => {
    const health = new Health();
    health.check('table', () => {
      throw new Error('no table');
    });
    expect(only(health).reason).toBe('the check itself failed: no table');
  });

  test('one that holds up the probe is named once, and rests', async () => {
    const said: unknown[] = [];
    const health = new Health({ log: { warn: (...words) => said.push(words) } });
    let asked = 0;
    health.check('slow', () => {
      asked++;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 80);
      return undefined;
    });
    health.results('readyz');
    health.results('readyz');
    // A crowd of probes does not add up.
    expect(asked).toBe(1);
    await until(() => {
      health.results('readyz');
      return asked === 2;
    });
    expect(said).toEqual([
      [
        'A health check holds up the probes; make it a periodic one',
        { name: 'slow', milliseconds: expect.any(Number) },
      ],
    ]);
  });

  test('liveness and readiness are kept apart', () => {
    const health = new Health();
    health.check('stuck', () => 'for ever', { live: true });
    expect(health.passes('readyz')).toBe(true);
    expect(health.passes('livez')).toBe(false);
  });
});

describe('periodic checks', () => {
  test('answer with the last run, and say so before the first has ended', async () => {
    using stopping = stopper();
    const health = new Health({ signal: stopping.signal });
    let answer: string | undefined;
    const gate = Promise.withResolvers<void>();
    health.periodic('peer', { period: 1, timeout: 60_000 }, async () => {
      await gate.promise;
      return answer;
    });
    expect(only(health).reason).toBe('not checked yet');
    gate.resolve();
    await until(() => only(health).reason === undefined);
    answer = 'refused';
    await until(() => only(health).reason === 'refused');
  });

  test('one that never answers is a failure after its time, does not hang the probe and does not run twice', async () => {
    using stopping = stopper();
    const health = new Health({ signal: stopping.signal });
    let running = 0;
    let most = 0;
    health.periodic('disk', { period: 60_000, timeout: 20 }, (signal) => {
      most = Math.max(most, ++running);
      return new Promise((_, reject) =>
        signal.addEventListener('abort', () => {
          running--;
          reject(signal.reason);
        }),
      );
    });
    await until(() => only(health).reason === 'no answer within 20ms');
    expect([running, most]).toEqual([0, 1]);
  });

  test('one that does not heed its signal is not run again while it hangs', async () => {
    using stopping = stopper();
    const health = new Health({ signal: stopping.signal });
    const gate = Promise.withResolvers<undefined>();
    let runs = 0;
    health.periodic('disk', { period: 1, timeout: 10 }, () => {
      runs++;
      return gate.promise;
    });
    await until(() => only(health).reason === 'no answer within 10ms');
    await elapsed(50);
    expect(runs).toBe(1);
    gate.resolve(undefined);
    await until(() => only(health).reason === undefined);
    expect(runs).toBeGreaterThan(1);
  });

  test('of liveness fail nothing before they have run, and what throws is a failure', async () => {
    using stopping = stopper();
    const health = new Health({ signal: stopping.signal });
    const gate = Promise.withResolvers<void>();
    health.periodic('loop', { period: 60_000, timeout: 60_000, live: true }, async () => {
      await gate.promise;
      throw new Error('broken');
    });
    expect(health.passes('livez')).toBe(true);
    gate.resolve();
    await until(() => only(health, 'livez').reason === 'the check itself failed: broken');
  });

  test('end with the sidecar', async () => {
    const stopping = new AbortController();
    const health = new Health({ signal: stopping.signal });
    let runs = 0;
    health.periodic('peer', { period: 1, timeout: 1000 }, async () => {
      runs++;
      return undefined;
    });
    await until(() => runs > 2);
    stopping.abort();
    const at = runs;
    // Several periods.
    await elapsed(50);
    expect(runs).toBeLessThanOrEqual(at + 1);
  });
});

function stopper(): AbortController & Disposable {
  const controller = new AbortController();
  return Object.assign(controller, { [Symbol.dispose]: () => controller.abort() });
}

const elapsed = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('the watchdog', () => {
  const block = (milliseconds: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

  test('fails what waited while the loop was held up, and tells for how long', async () => {
    using watchdog = new Watchdog(() => 200);
    expect(watchdog.check()).toBeUndefined();
    block(500);
    // The probe that waited is answered before the timer fires.
    expect(watchdog.check()).toMatch(/^the event loop was held up for 0\.[4-9] s$/);
    expect(watchdog.take()).toBeGreaterThan(0.3);
    await until(() => watchdog.take() < 0.3);
  });

  test('says nothing about a stall under the limit, or without one', () => {
    using patient = new Watchdog(() => 60_000);
    using indifferent = new Watchdog(() => 0);
    block(1200);
    expect([patient.check(), indifferent.check()]).toEqual([undefined, undefined]);
    expect(indifferent.take()).toBeGreaterThan(0.1);
  });

  test('forgets one stall after a few seconds, and for longer when it comes again', { timeout: 40_000 }, async () => {
    using watchdog = new Watchdog(() => 1_000);
    const forgotten = async () => {
      const begun = performance.now();
      await until(() => watchdog.check() === undefined, { deadline: 20_000 });
      return performance.now() - begun;
    };
    block(1_600);
    expect(watchdog.check()).toBeDefined();
    const first = await forgotten();
    expect(first).toBeGreaterThan(4_000);
    expect(first).toBeLessThan(9_000);
    block(1_600);
    expect(watchdog.check()).toBeDefined();
    expect(await forgotten()).toBeGreaterThan(8_000);
  });
});
