// A parameter that is a condition, checked when it is read.

import { text } from '@outrigger/core';
import { parseCondition } from '../condition/parse-condition.ts';

export const condition = (options: { readonly help: string; readonly example: string }) => ({
  ...text({ ...options, optional: true }),
  parse(written: string): string {
    parseCondition(written);
    return written;
  },
});
