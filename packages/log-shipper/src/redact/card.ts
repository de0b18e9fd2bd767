// Numbers of payment cards: 13 to 19 digits that an issuer may give, with a right check digit, in one piece or in
// groups. A number glued to letters is an id, and one of a list of numbers is no group.

import type { Budget, Rule } from './rule.ts';

const fewest = 13;
const most = 19;
const reach = 2 * most;

// First digits and lengths by issuer, as their ranges are published (ISO/IEC 7812; Visa, Mastercard, American Express,
// Diners Club, Discover, JCB, UnionPay, Maestro, RuPay, Mir, Troy).
const issuers: readonly { readonly from: number; readonly to: number; readonly lengths: readonly number[] }[] = [
  { from: 4000, to: 4999, lengths: [13, 16, 19] },
  { from: 5100, to: 5599, lengths: [16] },
  { from: 2200, to: 2204, lengths: [16, 17, 18, 19] },
  { from: 2221, to: 2720, lengths: [16] },
  { from: 3400, to: 3499, lengths: [15] },
  { from: 3700, to: 3799, lengths: [15] },
  { from: 3000, to: 3059, lengths: [14, 16, 17, 18, 19] },
  { from: 3095, to: 3095, lengths: [14, 16, 17, 18, 19] },
  { from: 3600, to: 3699, lengths: [14, 16, 17, 18, 19] },
  { from: 3800, to: 3999, lengths: [14, 16, 17, 18, 19] },
  { from: 3528, to: 3589, lengths: [16, 17, 18, 19] },
  { from: 6011, to: 6011, lengths: [16, 17, 18, 19] },
  { from: 6440, to: 6599, lengths: [16, 17, 18, 19] },
  { from: 6200, to: 6299, lengths: [16, 17, 18, 19] },
  { from: 8100, to: 8199, lengths: [16, 17, 18, 19] },
  { from: 6050, to: 6099, lengths: [16] },
  { from: 5000, to: 5099, lengths: [13, 14, 15, 16, 17, 18, 19] },
  { from: 5600, to: 5899, lengths: [13, 14, 15, 16, 17, 18, 19] },
  { from: 6300, to: 6399, lengths: [13, 14, 15, 16, 17, 18, 19] },
  { from: 6700, to: 6799, lengths: [13, 14, 15, 16, 17, 18, 19] },
  { from: 9792, to: 9792, lengths: [16] },
];

/** How cards are printed in groups; besides, digits may stand alone or two by two. */
const groupings = new Set([
  '4 4 4 4',
  '4 6 5',
  '4 6 4',
  '4 4 4 4 3',
  '4 4 4 4 2',
  '4 4 4 4 1',
  '6 13',
  '8 8',
  '4 4 4 1',
  '4 4 5',
  '4 4 4 3',
  '4 4 4 2',
]);

const isDigit = (code: number) => code >= 0x30 && code <= 0x39;
const isSeparator = (code: number) => code === 0x20 || code === 0x2d || code === 0x2e;
const isLetter = (code: number) => (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;

export const card: Rule = {
  name: 'card',
  looks: { cards: true },
  find(text, report, budget) {
    // Groups of digits with one separator between two of them.
    const run = /\d(?:[ .-]?\d){12,}/g;
    for (let found = run.exec(text); found; found = run.exec(text)) {
      cardsIn(found[0], {
        budget,
        gluedBefore: isLetter(text.charCodeAt(found.index - 1)),
        gluedBehind: isLetter(text.charCodeAt(run.lastIndex)),
        report: (start, end) => report(found.index + start, found.index + end),
      });
    }
  },
};

type Run = {
  readonly budget: Budget;
  readonly gluedBefore: boolean;
  readonly gluedBehind: boolean;
  readonly report: (start: number, end: number) => void;
};

type Group = { readonly start: number; readonly end: number };

function cardsIn(run: string, { gluedBefore, gluedBehind, report, budget }: Run): void {
  const groups: Group[] = [];
  for (const { 0: digits, index } of run.matchAll(/\d+/g)) {
    budget.spend();
    groups.push({ start: index, end: index + digits.length });
  }
  for (let first = gluedBefore ? 1 : 0; first < groups.length; first++) {
    budget.spend();
    const last = lastOfCard(run, groups.slice(first, first + most), gluedBehind && groups.length - first <= most);
    if (last === undefined || (last === 0 && isDecimal(run, groups[first]!))) continue;
    report(groups[first]!.start, groups[first + last]!.end);
    first += last;
  }
}

/** Where a card that begins with the first group ends; the longest one, should there be several. */
function lastOfCard(run: string, groups: readonly Group[], glued: boolean): number | undefined {
  let digits = '';
  let sizes = '';
  let found: number | undefined;
  for (const [index, { start, end }] of groups.entries()) {
    if (index > 1 && run[start - 1] !== run[groups[1]!.start - 1]) break;
    digits += run.slice(start, end);
    sizes += `${index > 0 ? ' ' : ''}${end - start}`;
    if (digits.length > most) break;
    if (glued && index === groups.length - 1) break;
    if (digits.length >= fewest && isGrouping(sizes, index) && isCard(digits)) found = index;
  }
  return found;
}

/** Part of a number with a fraction. */
const isDecimal = (run: string, { start, end }: Group) => run[start - 1] === '.' || run[end] === '.';

const isGrouping = (sizes: string, index: number) =>
  index === 0 || groupings.has(sizes) || /^1(?: 1)*$/.test(sizes) || /^2(?: 2)*(?: 1)?$/.test(sizes);

/** Whether digits are the number of a card. */
function isCard(digits: string): boolean {
  const head = Number(digits.slice(0, 4));
  const { length } = digits;
  return (
    issuers.some(({ from, to, lengths }) => head >= from && head <= to && lengths.includes(length)) && luhn(digits)
  );
}

function luhn(digits: string): boolean {
  let sum = 0;
  for (let at = digits.length - 1, twice = false; at >= 0; at--, twice = !twice) {
    const digit = digits.charCodeAt(at) - 0x30;
    const value = twice ? 2 * digit : digit;
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0 && !/^0+$/.test(digits);
}

/** Whether the digits and separators around a place may be a card: cheap, and wrong only in saying yes. */
export function holdsCard(bytes: Buffer, at: number, { start, end }: Group): boolean {
  const belongs = (code: number) => isDigit(code) || isSeparator(code);
  if (at < start || !belongs(bytes[at]!)) return false;
  // No card is longer than this, and a line of blanks must not be walked for each of its words.
  const first = Math.max(start, at - reach);
  const last = Math.min(end, at + reach);
  let from = at;
  while (from > first && belongs(bytes[from - 1]!)) from--;
  let to = at + 1;
  while (to < last && belongs(bytes[to]!)) to++;
  let digits = 0;
  for (let each = from; each < to; each++) if (isDigit(bytes[each]!)) digits++;
  if (digits < fewest) return false;
  // A time in milliseconds since the epoch is the number that logs are full of.
  return digits !== to - from || bytes[from] !== 0x31;
}
