// What can be told by its form alone.

import type { Rule } from './rule.ts';

const capitals = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Identifiers of AWS access keys, lasting and temporary. Their secrets are known by the key they are the value of. */
export const awsKey: Rule = {
  name: 'aws-key',
  // Four letters are too few for an anchor: three of the places they may lie at are words of their own, the fourth a pair.
  looks: { anchors: [['?', 'a', 'ks', 'i', 'a', capitals, '\x7f']], pairs: ['IA'] },
  find(text, report, budget) {
    for (const { index } of text.matchAll(/(?<![A-Za-z0-9])A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])/g)) {
      budget.spend();
      report(index, index + 20);
    }
  },
};

const local = 64;
const domain = 255;

export const email: Rule = {
  name: 'email',
  looks: { needles: ['@'] },
  find(text, report, budget) {
    for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
      budget.spend();
      // Bounded, so that a line of nothing but such characters is not walked again for each @.
      const before = /[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]+$/u.exec(text.slice(Math.max(0, at - local), at));
      const behind = /^[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?(?:\.[\p{L}\p{N}-]+)*\.\p{L}{2,}/u.exec(
        text.slice(at + 1, at + 1 + domain),
      );
      if (before && behind) report(at - before[0].length, at + 1 + behind[0].length);
    }
  },
};

/** Lengths by country, of the registry that SWIFT keeps. */
const ibanLengths: Readonly<Record<string, number>> = Object.fromEntries(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 ' +
    'FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 ' +
    'LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 ' +
    'RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((each) => [each.slice(0, 2), Number(each.slice(2))]),
);

export const iban: Rule = {
  name: 'iban',
  looks: 'always',
  find(text, report, budget) {
    for (const { index } of text.matchAll(/(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?=[ ]?[A-Z0-9])/g)) {
      budget.spend();
      const end = endOfIban(text, index);
      if (end !== undefined) report(index, end);
    }
  },
};

/** In one piece, or in groups of four. */
function endOfIban(text: string, start: number): number | undefined {
  const length = ibanLengths[text.slice(start, start + 2)];
  if (length === undefined) return undefined;
  let found = '';
  let at = start;
  for (; found.length < length; at++) {
    const character = text[at] ?? '';
    if (/[A-Z0-9]/.test(character)) found += character;
    else if (character !== ' ' || found.length % 4 !== 0) return undefined;
  }
  if (/[A-Za-z0-9]/.test(text[at] ?? '')) return undefined;
  const digits = (found.slice(4) + found.slice(0, 4)).replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  return BigInt(digits) % 97n === 1n ? at : undefined;
}
