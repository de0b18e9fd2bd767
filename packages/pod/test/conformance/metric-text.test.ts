import { expect, test } from 'vitest';
import { metricProblem } from '../../src/conformance/metric-text.ts';

test.for([
  '# HELP a_b Help\n# TYPE a_b counter\na_b 1\n',
  '# TYPE a_b_total counter\na_b_total{x="1",y="a\\"\\\\\\n",} 1.5e-3 1700000000000\n',
  '# a comment\n\n# TYPE a gauge\na NaN\na{b="c"} +Inf\n',
  '# TYPE a histogram\na_bucket{le="+Inf"} 1\na_sum 2\na_count 1\n',
  '# TYPE a summary\na{quantile="0.5"} 1\na_sum 2\na_count 1\n',
])('%j is what Prometheus reads', (text) => {
  expect(metricProblem(text)).toBeUndefined();
});

test.for([
  ['', 'the last line has no end'],
  ['# TYPE a gauge\na 1', 'the last line has no end'],
  ['a 1\n', 'line 1, "a 1": a sample before its TYPE'],
  ['# TYPE a gauge\na one\n', 'line 2, "a one": not a sample'],
  ['# TYPE a gauge\na{b=c} 1\n', 'line 2, "a{b=c} 1": not a sample'],
  ['# TYPE a gauge\na 1\na 2\n', 'line 3, "a 2": the same series a second time'],
  ['# TYPE a gouge\n', 'line 1, "# TYPE a gouge": "gouge" is no type'],
  ['# TYPE a gauge\n# TYPE a gauge\n', 'line 2, "# TYPE a gauge": a second TYPE of this name'],
  ['<html>\n', 'line 1, "<html>": not a sample'],
] as const)('%j is not', ([text, problem]) => {
  expect(metricProblem(text)).toBe(problem);
});

test('OpenMetrics ends with # EOF, has no empty line, and its counters end with _total', () => {
  const open = (text: string) => metricProblem(text, { open: true });
  expect(open('# TYPE a counter\na_total 1\n# EOF\n')).toBeUndefined();
  expect(open('# TYPE a counter\na_total 1\n')).toBe('the last line is not # EOF');
  expect(open('# TYPE a counter\na 1\n# EOF\n')).toContain('does not end with _total');
  expect(open('# TYPE a gauge\n\na 1\n# EOF\n')).toContain('an empty line');
});
