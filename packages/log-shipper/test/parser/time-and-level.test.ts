// Each parser says by itself where time and level are, in a form that is read without being told which.

import { expect, test } from 'vitest';
import { parse } from '../../src/parse.ts';
import { parsers } from '../../src/parser/index.ts';
import { severityOfBytes } from '../../src/severity.ts';
import { timeReader } from '../../src/time/time.ts';
import { noteFields } from '../../src/transcode/sought.ts';
import { recordsOf } from '../chunk.ts';

/** Lines of each kind, all of the same instant. */
const lines: [name: keyof typeof parsers, line: string, level: number][] = [
  ['json', '{"time":"2024-03-01T10:20:30Z","level":"error"}', 17],
  ['json', '{"time":1709288430000,"level":30}', 9],
  ['logfmt', 'time=2024-03-01T10:20:30Z level=error', 17],
  ['nginx', '2024/03/01 10:20:30 [crit] 31#32: *7 failed', 18],
  ['nginx', '203.0.113.7 - - [01/Mar/2024:11:20:30 +0100] "GET / HTTP/1.0" 200 1 "-" "-"', 0],
  ['apache', '[Fri Mar 01 10:20:30.000000 2024] [core:notice] [pid 1] up', 10],
  ['apache', '[Fri Mar  1 10:20:30 2024] [error] up', 17],
  ['apache', '203.0.113.7 - - [01/Mar/2024:11:20:30 +0100] "GET / HTTP/1.0" 200 1', 0],
  ['syslog', '<11>1 2024-03-01T10:20:30Z h a - - - m', 17],
  ['syslog', '<8>Mar  1 10:20:30 h a: m', 21],
  ['syslog', '2024-03-01T11:20:30.000000+01:00 h a: m', 0],
  ['klog', 'W0301 10:20:30.000000 1 main.go:10] x', 13],
  ['cri', '2024-03-01T10:20:30.000000000Z stdout F x', 0],
  ['regex', '2024-03-01T10:20:30Z WARN x', 13],
];

test.for(lines)('%s: %s', ([name, line, level]) => {
  const parser = parsers[name].open({ pattern: '^(?<time>\\S+) (?<level>\\S+)' });
  const records = recordsOf([line]);
  parse(records, parser, true);
  records.materialise();
  records.sought = {
    ...(parser.timeField !== undefined && { timeField: parser.timeField }),
    ...(parser.levelField !== undefined && { levelField: parser.levelField }),
    readTime: timeReader('auto', undefined, () => Date.UTC(2024, 2, 2)).read,
    readLevel: severityOfBytes,
  };
  noteFields(records, 0, records.fields?.[0] ?? {});
  expect(records.time(0)).toEqual({ seconds: 1709288430, nanos: 0 });
  expect(records.level(0)).toBe(level);
});
