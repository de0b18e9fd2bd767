import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoff } from '../src/backoff.ts';
import { parseRetryAfter, type Retry, RetryBudget, retry } from '../src/retry.ts';

const quick = { min: 1, max: 2 };

/** Fails as often as said, then succeeds. */
function failing(times: number) {
  const attempts: number[] = [];
  const task = async (attempt: number) => {
    attempts.push(attempt);
    if (attempts.length <= times) throw new Error(`failure ${attempts.length}`);
    return 'done';
  };
  return { task, attempts };
}

test('it goes on until it works, and tells of each failure in between', async () => {
  const { task, attempts } = failing(3);
  const told: Retry[] = [];
  expect(await retry(task, { backoff: quick, onRetry: (each) => told.push(each) })).toBe('done');
  expect(attempts).toEqual([1, 2, 3, 4]);
  expect(told.map(({ attempt, error }) => [attempt, (error as Error).message])).toEqual([
    [1, 'failure 1'],
    [2, 'failure 2'],
    [3, 'failure 3'],
  ]);
});

test('after the last attempt the last error is thrown', async () => {
  const { task, attempts } = failing(9);
  await expect(retry(task, { backoff: quick, attempts: 3 })).rejects.toThrow('failure 3');
  expect(attempts).toEqual([1, 2, 3]);
});

test('what trying again cannot help is thrown at once', async () => {
  const { task, attempts } = failing(9);
  const permanent = (error: unknown) => (error as Error).message === 'failure 2';
  await expect(retry(task, { backoff: quick, permanent })).rejects.toThrow('failure 2');
  expect(attempts).toEqual([1, 2]);
});

test('no attempt starts after the deadline, and nobody waits for one in vain', async () => {
  const begun = performance.now();
  const starts: number[] = [];
  const task = async () => {
    starts.push(performance.now() - begun);
    throw new Error(`failure ${starts.length}`);
  };
  await expect(retry(task, { backoff: { min: 60, max: 60 }, deadline: 200 })).rejects.toThrow(/failure [1-4]/);
  for (const start of starts) expect(start).toBeLessThanOrEqual(201);
  const from = performance.now();
  const hour = { backoff: { min: 3_600_000, max: 3_600_000 }, deadline: 1_800_000 };
  await expect(retry(failing(9).task, hour)).rejects.toThrow('failure 1');
  expect(performance.now() - from).toBeLessThan(10_000);
});

test('an abort ends a wait at once, with the reason of the signal', async () => {
  const stopping = new AbortController();
  const { task, attempts } = failing(9);
  const running = retry(task, {
    backoff: { min: '1h', max: '1h' },
    signal: stopping.signal,
    onRetry: () => setImmediate(() => stopping.abort(new Error('stopping'))),
  });
  await expect(running).rejects.toThrow('stopping');
  expect(attempts).toEqual([1]);
});

test('an attempt that was under way when it aborted may still succeed, but none follows it', async () => {
  for (const times of [0, 1]) {
    const stopping = new AbortController();
    const { task, attempts } = failing(times);
    const running = retry(
      async (attempt) => {
        stopping.abort(new Error('stopping'));
        return task(attempt);
      },
      { backoff: quick, signal: stopping.signal },
    );
    if (times === 0) expect(await running).toBe('done');
    else await expect(running).rejects.toThrow('stopping');
    expect(attempts).toEqual([1]);
  }
  const { task, attempts } = failing(0);
  await expect(retry(task, { backoff: quick, signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow(
    'before',
  );
  expect(attempts).toEqual([]);
});

test('after an attempt that lasted longer than the longest wait the waits begin anew', async () => {
  const told: number[] = [];
  let attempts = 0;
  const running = retry(
    async () => {
      // The fifth works for a while before it fails.
      if (++attempts === 5) await new Promise((resolve) => setTimeout(resolve, 120));
      throw new Error('failed');
    },
    { backoff: { min: 1, max: 100 }, attempts: 6, onRetry: ({ milliseconds }) => told.push(milliseconds) },
  );
  await expect(running).rejects.toThrow('failed');
  const ceilings = [2, 4, 8, 16, 2];
  for (const [at, milliseconds] of told.entries()) expect(milliseconds).toBeLessThanOrEqual(ceilings[at]!);
  expect(told.length).toBe(5);
});

test('every wait lies between the shortest and a ceiling that doubles up to the longest', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 100_000 }), (min, more) => {
      const max = min + more;
      const waits = backoff({ min, max });
      for (let at = 0, ceiling = min; at < 20; at++) {
        ceiling = Math.min(max, ceiling * 2);
        const drawn = waits.next();
        expect(drawn).toBeGreaterThanOrEqual(min);
        expect(drawn).toBeLessThanOrEqual(ceiling);
      }
      waits.reset();
      expect(waits.next()).toBeLessThanOrEqual(Math.min(max, min * 2));
    }),
  );
});

test('the waits of many are spread, not in step', () => {
  const drawn = Array.from({ length: 200 }, () => {
    const waits = backoff({ min: '100ms', max: '30s' });
    for (let at = 0; at < 9; at++) waits.next();
    return waits.next();
  });
  const parts = new Set(drawn.map((milliseconds) => Math.floor(milliseconds / 3_000)));
  expect(parts.size).toBe(10);
});

test('what the peer asks for is the shortest wait, up to five minutes and a tenth', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), fc.integer({ min: 0, max: 400_000 }), async (asked, own) => {
      const { task } = failing(1);
      const stopping = new AbortController();
      let told: Retry | undefined;
      const running = retry(task, {
        backoff: { min: own, max: own },
        signal: stopping.signal,
        retryAfter: () => asked,
        onRetry: (each) => {
          told = each;
          stopping.abort('told');
        },
      });
      await expect(running).rejects.toBe('told');
      const heeded = Math.min(asked, 300_000);
      expect(told!.milliseconds).toBeGreaterThanOrEqual(Math.max(own, heeded));
      expect(told!.milliseconds).toBeLessThanOrEqual(Math.max(own, heeded * 1.1));
    }),
  );
});

test.for([
  ['120', 120_000],
  [' 0 ', 0],
  ['Sun, 06 Nov 1994 08:50:07 GMT', 30_000],
  ['Sunday, 06-Nov-94 08:50:07 GMT', 30_000],
  ['Sun Nov  6 08:50:07 1994', 30_000],
  ['Sun, 06 Nov 1994 08:00:00 GMT', 0],
  ['-5', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['Sun, 99 Nov 1994 08:50:07 GMT', undefined],
  ['', undefined],
  [undefined, undefined],
] as const)('Retry-After: %s is %s milliseconds', ([header, expected]) => {
  expect(parseRetryAfter(header, Date.UTC(1994, 10, 6, 8, 49, 37))).toBe(expected);
});

test('no header makes the parser throw or answer with anything but a wait', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.date().map(String),
        fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
      ),
      (header) => {
        const milliseconds = parseRetryAfter(header);
        expect(milliseconds === undefined || milliseconds >= 0).toBe(true);
      },
    ),
  );
});

test('a budget allows what was saved up and a part of the requests, never more', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 500 }), (steps) => {
      const budget = new RetryBudget({ ratio: 0.2, perSecond: 0, most: 5 });
      let requests = 0;
      let retries = 0;
      for (const isRequest of steps) {
        if (isRequest) {
          requests++;
          budget.earn();
        } else if (budget.spend()) retries++;
        expect(retries).toBeLessThanOrEqual(5 + requests * 0.2 + 1e-9);
      }
    }),
  );
});

test('an empty budget fills with requests, and with time', async () => {
  const budget = new RetryBudget({ ratio: 0.25, perSecond: 0, most: 1 });
  expect([budget.spend(), budget.spend()]).toEqual([true, false]);
  for (let at = 0; at < 3; at++) budget.earn();
  expect(budget.spend()).toBe(false);
  budget.earn();
  expect(budget.spend()).toBe(true);
  const timed = new RetryBudget({ ratio: 0, perSecond: 50, most: 1 });
  timed.spend();
  // It has to be a wait: time is what is earned.
  await expect.poll(() => timed.spend()).toBe(true);
});

test('callers who share a spent budget give up after one attempt each', async () => {
  const budget = new RetryBudget({ ratio: 0.2, perSecond: 0, most: 2 });
  let attempts = 0;
  const call = () =>
    retry(
      async () => {
        attempts++;
        throw new Error('down');
      },
      { backoff: quick, budget, attempts: 10 },
    ).catch((error: Error) => error.message);
  const said = await Promise.all(Array.from({ length: 100 }, call));
  expect(new Set(said)).toEqual(new Set(['down']));
  // One each, the two saved up, and those that the hundred earned: without a budget it would be a thousand.
  expect(attempts).toBeGreaterThanOrEqual(102);
  expect(attempts).toBeLessThanOrEqual(122);
});
