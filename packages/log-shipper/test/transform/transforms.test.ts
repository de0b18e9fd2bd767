import { appendFile, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { scratch, until } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import { fromEnvironment } from '../../src/transform/kubernetes.ts';
import { Recent } from '../../src/transform/recent.ts';
import { recordsOf } from '../chunk.ts';
import { json, openTransform, outcome, type TransformName } from './open.ts';

async function applied(name: TransformName, args: readonly string[], ...objects: readonly object[]) {
  const { apply, needs } = await openTransform(name, args);
  const records = json(...objects);
  if (needs === 'fields') records.materialise();
  apply(records);
  return outcome(records);
}

test('add', async () => {
  expect(await applied('add', ['--fields', 'a=1', '--fields', 'b=2'], { a: 0, c: 3 })).toEqual([
    { a: '1', b: '2', c: 3 },
  ]);
});

test('rename leads into objects and out of them', async () => {
  const args = [
    '--fields',
    'msg=message',
    '--fields',
    'http.status=status',
    '--fields',
    'x=a.b.c',
    '--fields',
    '"k.v"=kv',
  ];
  expect(
    await applied('rename', args, { msg: 'hi', http: { status: 5, a: 1 }, x: 1, a: { d: 2 }, 'k.v': 7 }, { y: 1 }),
  ).toEqual([{ message: 'hi', http: { a: 1 }, status: 5, a: { d: 2, b: { c: 1 } }, kv: 7 }, { y: 1 }]);
});

test('rename takes the line of a record that has no fields', async () => {
  const { apply } = await openTransform('rename', ['--fields', 'log=message']);
  const records = recordsOf(['hello']);
  apply(records);
  expect(outcome(records)).toEqual([{ message: 'hello' }]);
});

test('drop-fields and keep-fields', async () => {
  const fields = { a: 1, b: { c: 2, d: 3 }, e: 4 };
  expect(await applied('drop-fields', ['--names', 'a', '--names', 'b.c', '--names', 'x.y'], fields)).toEqual([
    { b: { d: 3 }, e: 4 },
  ]);
  expect(await applied('keep-fields', ['--names', 'b.c', '--names', 'e'], fields)).toEqual([{ b: { c: 2 }, e: 4 }]);
});

test('a line that could not be read stays whole', async () => {
  const { apply } = await openTransform('keep-fields', ['--names', 'a']);
  const records = recordsOf(['{"a":1,"b":2}', 'broken']);
  records.format = 'json';
  apply(records);
  expect(outcome(records)).toMatchObject([{ a: 1 }, { log: 'broken', parse_error: expect.any(String) }]);
});

describe('filter', () => {
  test('keeps and drops', async () => {
    const args = ['--keep', 'field.n>1', '--drop', 'field.user.name=bob'];
    expect(await applied('filter', args, { n: 1 }, { n: 2 }, { n: 3, user: { name: 'bob' } })).toEqual([
      'filter',
      { n: 2 },
      'filter',
    ]);
  });

  test('sees level, tag, stream and path', async () => {
    const { apply, needs } = await openTransform('filter', [
      '--keep',
      'level>=warn or tag=a.* or stream=stderr or path=/other/*',
    ]);
    expect(needs).toBe('fields');
    const records = json({ m: 1 }, { m: 2 }, { m: 3 }, { m: 4, stream: 'stderr' });
    records.levels = Uint8Array.of(9, 13, 0, 0);
    records.tags = [undefined, undefined, 'a.b', undefined];
    records.materialise();
    apply(records);
    expect(records.anyDropped && [0, 1, 2, 3].map((index) => records.dropped(index))).toEqual([
      'filter',
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('a condition is checked when parameters are read', async () => {
    await expect(openTransform('filter', ['--keep', 'level>=loud'])).rejects.toThrow('at column 8');
  });
});

describe('sample', () => {
  const lines = Array.from({ length: 10_000 }, (_, index) => `record ${index} of them`);

  test('keeps one of so many, always the same', async () => {
    const kept = async () => {
      const { apply } = await openTransform('sample', ['--one-of', '10', '--keep-errors', 'false']);
      const records = recordsOf(lines);
      apply(records);
      return outcome(records).filter((each) => each !== 'sample');
    };
    const one = await kept();
    expect(one.length).toBeGreaterThan(850);
    expect(one.length).toBeLessThan(1_150);
    expect(await kept()).toEqual(one);
  });

  test('keeps errors unless told otherwise', async () => {
    const { apply, needs } = await openTransform('sample', ['--one-of', '1000000']);
    expect(needs).toBe('fields');
    const records = recordsOf(lines);
    records.levels = new Uint8Array(lines.length);
    records.levels.fill(17, 0, 100);
    apply(records);
    const kept = outcome(records).map((each) => each !== 'sample');
    expect(kept.slice(0, 100).every(Boolean)).toBe(true);
    expect(kept.slice(100).filter(Boolean).length).toBeLessThan(10);
  });
});

describe('rate-limit', () => {
  const at = (records: ReturnType<typeof recordsOf>, seconds: readonly number[]) => {
    records.times = { seconds: Float64Array.from(seconds), nanos: new Uint32Array(seconds.length) };
    return records;
  };
  const dropped = (records: ReturnType<typeof recordsOf>) =>
    Array.from({ length: records.count }, (_, index) => records.dropped(index) ?? '-').join(' ');

  test('counts by the times of the records, so that a backlog is not taken for a burst', async () => {
    const { apply } = await openTransform('rate-limit', ['--rate', '2']);
    const records = at(recordsOf(['a', 'b', 'c', 'd', 'e', 'f', 'g']), [100, 100, 100, 101, 101, 101, 200]);
    apply(records);
    expect(dropped(records)).toBe('- - rate - - rate -');
  });

  test('a single time that is wrong does not stop the clock', async () => {
    const { apply } = await openTransform('rate-limit', ['--rate', '1', '--burst', '2']);
    apply(at(recordsOf(['a', 'b']), [9e11, 9e11]));
    const later = recordsOf(['c']);
    Object.defineProperty(later, 'readAt', { value: Date.now() + 5_000 });
    apply(later);
    expect(dropped(later)).toBe('-');
  });

  test('each key for itself', async () => {
    const { apply, needs } = await openTransform('rate-limit', ['--rate', '1', '--by', 'field.user.name']);
    expect(needs).toBe('fields');
    const records = json({ user: { name: 'a' } }, { user: { name: 'b' } }, { user: { name: 'a' } }, { user: {} }, {});
    records.materialise();
    apply(records);
    expect(dropped(records)).toBe('- - rate - rate');
    await expect(openTransform('rate-limit', ['--rate', '1', '--by', 'colour'])).rejects.toThrow('field.<name>');
  });
});

describe('deduplicate', () => {
  const at = (line: string, seconds: number) => {
    const records = recordsOf([line]);
    records.times = { seconds: Float64Array.of(seconds), nanos: new Uint32Array(1) };
    return records;
  };

  test('the next of its kind says how often it was there', async () => {
    const { apply } = await openTransform('deduplicate', ['--window', '10s']);
    const outcomes = [0, 1, 9.9, 10.1, 11].map((seconds) => {
      const records = at('same', seconds);
      apply(records);
      return outcome(records)[0];
    });
    expect(outcomes).toEqual([{ log: 'same' }, 'duplicate', 'duplicate', { log: 'same', repeated: 2 }, 'duplicate']);
  });

  test('when none comes in time, the next record of all says it', async () => {
    const { apply } = await openTransform('deduplicate', ['--window', '10s']);
    const all = [at('same', 0), at('same', 1), at('other', 2), at('third', 20), at('fourth', 21)];
    for (const records of all) apply(records);
    expect(all.flatMap(outcome)).toEqual([
      { log: 'same' },
      'duplicate',
      { log: 'other' },
      { log: 'third', suppressed: 1 },
      { log: 'fourth' },
    ]);
  });

  test('by fields', async () => {
    const args = ['--by', 'user', '--by', 'code'];
    expect(
      await applied('deduplicate', args, { user: 1, code: 2, t: 1 }, { user: 1, code: 2, t: 2 }, { user: 12, t: 3 }),
    ).toEqual([{ user: 1, code: 2, t: 1 }, 'duplicate', { user: 12, t: 3 }]);
  });

  test('what is remembered is bounded, and nothing that was suppressed is forgotten', async () => {
    const { apply } = await openTransform('deduplicate', ['--keys', '10']);
    const records = recordsOf(['same', 'same', ...Array.from({ length: 20 }, (_, index) => `other ${index}`), 'same']);
    apply(records);
    const all = outcome(records);
    expect(all.filter((each) => each === 'duplicate')).toHaveLength(1);
    expect(all.filter((each) => typeof each === 'object' && each.suppressed === 1)).toHaveLength(1);
  });
});

test('a map of what is recent stays at its size', () => {
  const forgotten: number[] = [];
  const recent = new Recent<number>(2, (value) => forgotten.push(value));
  recent.set('a', 1);
  recent.set('b', 2);
  expect(recent.get('a')).toBe(1);
  recent.set('c', 3);
  expect([recent.get('b'), recent.size, ...forgotten]).toEqual([undefined, 2, 2]);
});

describe('kubernetes', () => {
  test('environment', () => {
    expect(fromEnvironment({ POD_NAME: 'web-1', MY_POD_NAMESPACE: 'shop', NODE_NAME: '', POD_UID: 'u' })).toEqual({
      pod_name: 'web-1',
      namespace_name: 'shop',
      pod_id: 'u',
    });
  });

  test('files are followed as the kubelet swaps them', async () => {
    await using place = await scratch();
    const publish = async (number: number, labels: string) => {
      await mkdir(place.join(`..${number}`));
      await writeFile(place.join(`..${number}`, 'labels'), labels);
      await symlink(`..${number}`, place.join('..next'));
      await rename(place.join('..next'), place.join('..data'));
    };
    await publish(1, 'app="web"\n');
    await symlink('..data/labels', place.join('labels'));
    const stop = new AbortController();
    const { apply } = await openTransform('kubernetes', ['--labels-file', place.join('labels')], stop.signal);
    const labels = () => {
      const records = recordsOf(['x']);
      apply(records);
      return JSON.stringify((outcome(records)[0] as Record<string, Record<string, unknown>>).kubernetes?.labels);
    };
    expect(labels()).toBe('{"app":"web"}');
    await publish(2, 'app="web"\nversion="2"\n');
    await until(() => labels() === '{"app":"web","version":"2"}');
    // What is none leaves what was there, and ends nothing.
    await publish(3, 'no pair\n');
    await publish(4, 'app="again"\n');
    await until(() => labels() === '{"app":"again"}');
    await appendFile(place.join('..4', 'labels'), 'x="y"\n');
    await until(() => labels().includes('"x":"y"'));
    stop.abort();
  });
});
