// A patch does to a workload what its additions do.

import { assert, property } from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { applied } from '../../../src/compose/apply.ts';
import { jsonPatch, operationsOf } from '../../../src/compose/output/json-patch.ts';
import { strategicMerge, strategicMergeOf } from '../../../src/compose/output/strategic-merge.ts';
import { isObject } from '../../../src/manifest/path.ts';
import { anyCase } from './any-workload.ts';
import { merged, type NewItems, patched } from './apply-patch.ts';

const runs = { numRuns: 200 };

test('a JSON patch makes of the original what the additions make of it', () => {
  assert(
    property(anyCase(), ({ workload, additions }) => {
      expect(patched(workload, operationsOf(workload, additions))).toEqual(applied(workload, additions));
    }),
    runs,
  );
});

test('a JSON patch fails on what it was applied to', () => {
  assert(
    property(anyCase(), ({ workload, additions }) => {
      const patch = operationsOf(workload, additions);
      expect(() => patched(patched(workload, patch), patch)).toThrow(/^test /);
    }),
    runs,
  );
});

test('a JSON patch fails on a workload of another name', () => {
  assert(
    property(anyCase(), ({ workload, additions }) => {
      const other = { ...workload, metadata: { ...(workload.metadata as object), name: 'other' } };
      expect(() => patched(other, operationsOf(workload, additions))).toThrow('test /metadata/name');
    }),
    runs,
  );
});

test('the tests of a JSON patch come first', () => {
  assert(
    property(anyCase(), ({ workload, additions }) => {
      const words = operationsOf(workload, additions).map(({ op }) => op);
      expect(words).toEqual(words.toSorted().toReversed());
    }),
    runs,
  );
});

test.for<NewItems>(['last', 'first'])(
  'a strategic-merge patch makes of the original what the additions make of it, new items of other lists %s',
  (newItems) => {
    assert(
      property(anyCase(), ({ workload, additions }) => {
        const patch = strategicMergeOf(workload, additions);
        expect(unordered(merged(workload, patch, newItems))).toEqual(unordered(applied(workload, additions)));
      }),
      runs,
    );
  },
);

test('a strategic-merge patch changes nothing the second time', () => {
  assert(
    property(anyCase(), ({ workload, additions }) => {
      const patch = strategicMergeOf(workload, additions);
      const once = merged(workload, patch, 'last');
      expect(unordered(merged(once, patch, 'last'))).toEqual(unordered(once));
    }),
    runs,
  );
});

test('what is added to an item that is not there is refused', () => {
  const workload = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web' },
    spec: { containers: [{ name: 'app' }] },
  };
  const list = ['spec', 'containers', { name: 'other' }, 'volumeMounts'];
  const additions = [{ list, key: 'mountPath', item: { name: 'logs', mountPath: '/logs' }, at: 'end' }] as const;
  expect(() => operationsOf(workload, additions)).toThrow('nothing in /spec/containers is named other');
});

test('what is written down is read back, by the rules of YAML 1.1 as well, and no character in it can be mistaken', () => {
  assert(
    property(anyCase(), ({ workload, additions }) => {
      const outputs = [
        [jsonPatch(workload, additions), operationsOf(workload, additions)],
        [strategicMerge(workload, additions), strategicMergeOf(workload, additions)],
      ] as const;
      for (const [{ files }, value] of outputs) {
        const { text } = files[0]!;
        const meant = JSON.parse(JSON.stringify(value));
        expect([parse(text), parse(text, { version: '1.1' })]).toEqual([meant, meant]);
        expect(text).not.toMatch(/[\u007f-\u009f\u2028\u2029]/);
      }
    }),
    runs,
  );
});

/** The order of these two means nothing. */
function unordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unordered);
  if (!isObject(value)) return value;
  const sorted = (list: unknown) => (list as unknown[]).map((each) => JSON.stringify(each)).toSorted();
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      ['volumes', 'volumeMounts'].includes(key) && Array.isArray(each) ? sorted(each) : unordered(each),
    ]),
  );
}
