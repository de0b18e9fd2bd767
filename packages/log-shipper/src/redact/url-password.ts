// Passwords in URLs, scheme://user:password@host. A password that was not encoded may hold `@` and, against the rules,
// `/`: it goes on to the last @ before the host ends.

import type { Rule } from './rule.ts';

const longest = 1024;

export const urlPassword: Rule = {
  name: 'url-password',
  looks: { needles: ['@'] },
  find(text, report, budget) {
    for (let at = text.indexOf('://'); at !== -1; at = text.indexOf('://', at + 3)) {
      budget.spend();
      if (!/[A-Za-z0-9+.-]/.test(text[at - 1] ?? '')) continue;
      const password = passwordIn(text.slice(at + 3, at + 3 + longest));
      if (password) report(at + 3 + password.start, at + 3 + password.end);
    }
  },
};

function passwordIn(rest: string): { start: number; end: number } | undefined {
  const [address = ''] = /^[^\s"'<>`]*/.exec(rest) ?? [];
  const colon = /^[^/?#@:]*:/.exec(address)?.[0].length;
  if (colon === undefined) return undefined;
  const behind = address.slice(colon);
  // http://host:8080/a@b has a port and no password.
  const end = /^[0-9]*(?:[/?#]|$)/.test(behind) ? -1 : endOf(behind);
  if (end <= 0) return undefined;
  return { start: colon, end: colon + end };
}

/** The last @ before the path; where there is none before it, the password holds a slash. */
function endOf(behind: string): number {
  const path = behind.search(/[/?#]/);
  const before = path === -1 ? behind.lastIndexOf('@') : behind.lastIndexOf('@', path);
  return before >= 0 ? before : behind.indexOf('@');
}
