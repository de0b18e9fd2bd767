// A pattern of the user's. It must run in linear time, as those of the parsers, and a longer text than it takes is an
// error: then nobody has looked at the whole of it.

import { linearPattern } from '../linear-pattern.ts';
import type { Rule } from './rule.ts';

/** Throws an Error that says what is expected. */
export function ownPattern(name: string, source: string): Rule {
  if (!/^[a-z0-9][a-z0-9_.-]{0,63}$/i.test(name))
    throw new Error('a name of letters, digits, - and _ is expected before the =');
  const match = linearPattern(source);
  if (match('')) throw new Error('a pattern that does not match an empty text is expected');
  return {
    name,
    looks: 'always',
    find(text, report, budget) {
      for (let from = 0; from < text.length; ) {
        budget.spend();
        const found = match(from === 0 ? text : text.slice(from));
        if (!found) return;
        const start = from + found.index;
        const end = start + found[0].length;
        if (end > start) report(start, end);
        // An empty one is passed over by one character.
        from = Math.max(end, start + 1);
      }
    },
  };
}
