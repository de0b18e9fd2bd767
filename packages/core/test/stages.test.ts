import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Fault } from '../src/errors.ts';
import { Stages, sayStopped } from '../src/stages.ts';

type Node = {
  /** Which of the nodes before it must have started. */
  readonly needs: readonly number[];
  readonly starts: 'now' | 'later' | 'never';
  readonly stops: 'now' | 'later' | 'throws' | 'rejects' | 'hangs';
};

const graphs = fc
  .array(
    fc.record({
      needs: fc.array(fc.nat(30), { maxLength: 3 }),
      starts: fc.constantFrom('now', 'now', 'later', 'never'),
      stops: fc.constantFrom('now', 'now', 'later', 'throws', 'rejects', 'hangs'),
    }),
    { maxLength: 12 },
  )
  .map((nodes) => nodes.map((node, at) => ({ ...node, needs: node.needs.filter((need) => need < at) }) as Node));

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Starts every node as soon as those it needs have started; what needs a failed one fails too. */
async function startAll(nodes: readonly Node[], stages: Stages) {
  const started: number[] = [];
  const stopped: number[] = [];
  const running: Promise<void>[] = [];
  const stop = (at: number, how: Node['stops']) => (): Promise<void> => {
    stopped.push(at);
    if (how === 'throws') throw new Error('thrown');
    if (how === 'rejects') return Promise.reject(new Error('rejected'));
    if (how === 'hangs') return new Promise(() => undefined);
    return how === 'later' ? turn().then(() => undefined) : Promise.resolve();
  };
  for (const [at, { needs, starts, stops }] of nodes.entries()) {
    running[at] = (async () => {
      await Promise.all(needs.map((need) => running[need]));
      if (starts === 'never') throw new Error('not started');
      if (starts === 'later') await turn();
      started.push(at);
      const deadline = stops === 'hangs' ? { deadline: 2 } : {};
      stages.use({ [Symbol.asyncDispose]: stop(at, stops) }, { name: `node ${at}`, ...deadline });
    })();
  }
  await Promise.allSettled(running);
  return { started, stopped };
}

test('the order of stopping is the exact reverse of starting for any graph, with failures anywhere', async () => {
  await fc.assert(
    fc.asyncProperty(graphs, async (nodes) => {
      const stages = new Stages();
      const { started, stopped } = await startAll(nodes, stages);
      const outcomes = await stages.stop(10_000);
      expect(stopped).toEqual(started.toReversed());
      expect(outcomes.map(({ name }) => name)).toEqual(stopped.map((at) => `node ${at}`));
      for (const [index, at] of stopped.entries()) {
        const { error, late } = outcomes[index]!;
        expect({ failed: error !== undefined, late: late === true }).toEqual({
          failed: nodes[at]!.stops === 'throws' || nodes[at]!.stops === 'rejects',
          late: nodes[at]!.stops === 'hangs',
        });
      }
    }),
    { numRuns: 200 },
  );
});

const hanging = () => ({ [Symbol.asyncDispose]: () => new Promise<void>(() => undefined) });

describe('deadlines', () => {
  test('a stage that hangs leaves time to those below it, and all of them end within the whole time', async () => {
    const stages = new Stages();
    let flushed = false;
    stages.use(
      {
        async [Symbol.asyncDispose]() {
          await turn();
          flushed = true;
        },
      },
      { name: 'checkpoint' },
    );
    stages.use(hanging(), { name: 'source' });
    const begun = performance.now();
    const outcomes = await stages.stop(300);
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(flushed).toBe(true);
    expect(outcomes).toMatchObject([{ name: 'source', late: true }, { name: 'checkpoint' }]);
    expect(outcomes[1]).not.toHaveProperty('late');
  });

  test('each stage may have a shorter time of its own', async () => {
    const stages = new Stages();
    stages.use(hanging(), { name: 'hangs', deadline: 5 });
    const [outcome] = await stages.stop(60_000);
    expect(outcome).toMatchObject({ name: 'hangs', late: true });
    expect(outcome!.milliseconds).toBeLessThan(10_000);
  });

  test('with no time at all every stage is still told to stop, in order', async () => {
    const stages = new Stages();
    const told: number[] = [];
    for (const at of [1, 2, 3]) stages.defer(() => told.push(at));
    await stages.stop(0);
    expect(told).toEqual([3, 2, 1]);
  });
});

test('a start under way is waited for, and what it still opens is stopped before what it had opened', async () => {
  const stages = new Stages();
  const stopped: string[] = [];
  stages.defer(() => stopped.push('first'));
  const outcomes = await stages.stop(10_000, async () => {
    await turn();
    stages.defer(() => stopped.push('second'));
  });
  expect(stopped).toEqual(['second', 'first']);
  expect(outcomes.map(({ name }) => name)).toEqual(['start', 'stage 2', 'stage 1']);
});

test('what is opened while stopping is stopped at once', async () => {
  const stages = new Stages();
  await stages.stop(1000);
  let stopped = false;
  const late = {
    [Symbol.dispose]() {
      stopped = true;
    },
  };
  expect(() => stages.use(late, { name: 'late' })).toThrow('"late" was opened while stopping');
  expect(stopped).toBe(true);
});

test('a stage is named by its class unless it has a name', async () => {
  class Ledger {
    [Symbol.dispose]() {
      // It only has a name.
    }
  }
  const stages = new Stages();
  stages.use(new Ledger());
  stages.defer(() => undefined);
  stages.use(undefined);
  stages.defer(() => undefined, { name: 'last' });
  expect((await stages.stop(1000)).map(({ name }) => name)).toEqual(['last', 'stage 2', 'Ledger']);
});

test('a stage that does not stop says what it leaves, one that stops does not', async () => {
  const stages = new Stages();
  const left = () =>
    new Fault('WORK_LEFT', { message: '{count} jobs are not done', hint: 'The next run does them' }, { count: 3 });
  stages.defer(() => undefined, { name: 'quick', left });
  stages.defer(() => new Promise(() => undefined), { name: 'slow', left });
  const [slow, quick] = await stages.stop(100);
  expect(sayStopped(slow!)).toMatch(/^slow did not stop within \d+ ms: 3 jobs are not done$/);
  expect(quick).not.toHaveProperty('left');
});
