import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unifiedDiff } from '../../src/compose/unified-diff.ts';

const texts = fc
  .array(fc.constantFrom('a', 'b', 'c', '', 'volumes:'), { maxLength: 30 })
  .chain((lines) => fc.constantFrom(lines.join('\n'), `${lines.join('\n')}\n`));

test('the same is nothing', () => {
  expect(unifiedDiff(['a', 'b'], 'x\n', 'x\n')).toBe('');
});

test('changes far from each other are hunks of their own', () => {
  const before = Array.from({ length: 20 }, (_, index) => `${index}\n`).join('');
  const after = before.replace('2\n', '').replace('19\n', '19\nnew');
  expect(unifiedDiff(['x.yaml', 'y.yaml'], before, after)).toBe(
    '--- x.yaml\n+++ y.yaml\n@@ -1,6 +1,5 @@\n 0\n 1\n-2\n 3\n 4\n 5\n@@ -18,3 +17,4 @@\n 17\n 18\n 19\n+new\n\\ No newline at end of file\n',
  );
});

test('the old text and the difference are the new text', () => {
  fc.assert(
    fc.property(texts, texts, (before, after) => {
      expect(patched(before, unifiedDiff(['x', 'x'], before, after))).toBe(after);
    }),
  );
});

/** As patch(1) does it, but without looking for a hunk elsewhere. */
function patched(text: string, diff: string): string {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const patch = (diff.match(/[^\n]*\n/g) ?? []).flatMap((line, index, all) =>
    line.startsWith('\\') ? [] : [all[index + 1]?.startsWith('\\') ? line.slice(0, -1) : line],
  );
  const made: string[] = [];
  let done = 0;
  for (const line of patch.slice(2)) {
    const range = /^@@ -(\d+)(?:,(\d+))? /.exec(line);
    if (range) {
      const start = Number(range[1]) - (range[2] === '0' ? 0 : 1);
      made.push(...lines.slice(done, start));
      done = start;
    } else {
      if (line[0] !== '+') expect(lines[done++]).toBe(line.slice(1));
      if (line[0] !== '-') made.push(line.slice(1));
    }
  }
  return [...made, ...lines.slice(done)].join('');
}
