import { defineParser } from './parser.ts';

export const raw = defineParser({
  summary: 'The line is the record',
  parameters: {},
  open: () => ({}),
});
