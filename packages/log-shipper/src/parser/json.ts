// One JSON object per line. Numbers that a double cannot hold keep their digits.

import { parseObject } from '../records.ts';
import { defineParser } from './parser.ts';

export const json = defineParser({
  summary: 'One JSON object per line',
  parameters: {},
  open: () => ({
    format: 'json',
    parse: (bytes, start, end) => parseObject(bytes.toString('utf8', start, end)),
    timeField: 'time',
    levelField: 'level',
  }),
});
