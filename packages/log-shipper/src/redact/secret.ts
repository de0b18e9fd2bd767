// Values of keys that name a secret: password=..., "api_key": "...", --token ..., <secret>... In prose, such as "invalid
// token", there is no such key.

import { type Anchor, anchor, noLetters } from './prefilter.ts';
import type { Rule } from './rule.ts';
import { isNothing, markup, separator, valueAt, word } from './value.ts';

// Whatever stands before it belongs to the name: db_password, refreshToken, x-api-key. What stands behind makes it another
// one: token_count, secretName, passwordless.
const words = 'pass(?:word|wd|phrase)s?|secrets?|token|(?:api|access|private|secret)[ ._-]?key|credentials?';

const behind = [noLetters];
const behindPlural = [`${noLetters}s`];
// secretkey in one word.
const behindSecret = [`${noLetters}sk`];

const anchors: readonly Anchor[] = [
  anchor([], 'passwor'),
  anchor([], 'passwd', behindPlural),
  anchor([], 'passphr'),
  anchor([], 'secret', behindSecret),
  anchor(['?'], 'token', behind),
  anchor([], 'api', ['_-. ', 'k', 'e', 'y']),
  anchor([], 'apikey', behind),
  anchor([], 'ess', ['_-. ', 'k', 'e', 'y']),
  anchor([], 'esskey', behind),
  anchor([], 'private'),
  anchor([], 'credent'),
  anchor(['?', ';'], 'pwd', ['=', '?']),
  anchor(['?', '\'"'], 'pwd', ['\\\'"', '?']),
];

export type KeyRule = Rule & {
  /** Whether a key of an object names a secret. */
  names(key: string): boolean;
};

/** @param more names of keys, besides those that everybody has. */
export function secretOf(more: readonly string[]): KeyRule {
  const all = [words, ...more.map(RegExp.escape)].join('|');
  const key = new RegExp(`(?:(?:${all})\\d{0,3}|(?<=;)pwd|(?<=["'])pwd(?=\\\\*["']))${separator}`, 'gi');
  const name = new RegExp(`(?:${all})\\d{0,3}$|^pwd$`, 'i');
  return {
    name: 'secret',
    looks: more.length > 0 ? 'always' : { anchors },
    names: (key) => name.test(key),
    find(text, report, budget) {
      key.lastIndex = 0;
      for (let found = key.exec(text); found; found = key.exec(text)) {
        budget.spend();
        const value = valueAt(text, key.lastIndex, found[1] === '>' ? markup : word);
        if (!value || isNothing(text.slice(value.start, value.end))) continue;
        report(value.start, value.end);
        key.lastIndex = Math.max(key.lastIndex, value.end);
      }
    },
  };
}
