// A pattern of the user's; its named groups are the fields.

import { text } from '@outrigger/core';
import { groupsOf, linearPattern } from '../linear-pattern.ts';
import { defineParser, type Fields } from './parser.ts';
import { set } from './set.ts';

const pattern = text({
  help: 'Regular expression whose named groups are the fields; only what can be matched in linear time, so no look-ahead and no back-references',
  example: '^(?<time>\\S+) (?<level>[A-Z]+) (?<message>.*)$',
});

export const regex = defineParser({
  summary: 'What the named groups of a regular expression match',
  parameters: { pattern: { ...pattern, parse: named } },
  open({ pattern }) {
    const match = linearPattern(pattern);
    return {
      parse(bytes, start, end) {
        const found = match(bytes.toString('utf8', start, end))?.groups;
        if (!found) throw new Error('Does not match the pattern');
        return present(found);
      },
      timeField: 'time',
      levelField: 'level',
    };
  },
});

function named(written: string): string {
  linearPattern(written);
  if (groupsOf(written).length === 0)
    throw new Error('a regular expression with named groups such as (?<message>.*) is expected');
  return written;
}

/** A group that took no part is no field. */
function present(groups: Readonly<Record<string, string | undefined>>): Fields {
  const fields: Record<string, unknown> = {};
  for (const name in groups) if (groups[name] !== undefined) set(fields, name, groups[name]);
  return fields;
}
