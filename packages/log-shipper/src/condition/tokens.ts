// A condition in pieces, each with its column.

export type Token = {
  readonly kind: 'word' | 'open' | 'close' | 'operator' | 'value' | 'end';
  readonly text: string;
  /** Whether a value stood in quotes: then nothing in it has a meaning. */
  readonly quoted?: boolean;
  /** From 1. */
  readonly column: number;
};

export class ConditionProblem extends Error {
  constructor(message: string, column: number) {
    super(`${message} at column ${column}`);
    this.name = 'ConditionProblem';
  }
}

const operator = /(?:>=|<=|!=|!~|=|~|<|>)/y;
// A name in quotes may hold what otherwise ends it.
const word = /(?:"(?:[^"\\]|\\.)*"|[^\s()=!~<>"])+/y;

export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  const push = (kind: Token['kind'], piece: string) => {
    tokens.push({ kind, text: piece, column: at + 1 });
    at += piece.length;
  };
  for (;;) {
    while (/\s/.test(text[at] ?? '')) at++;
    if (at === text.length) break;
    const sign = take(operator);
    if (text[at] === '(') push('open', '(');
    else if (text[at] === ')') push('close', ')');
    else if (sign !== undefined) {
      push('operator', sign);
      const value = valueAt(text, at);
      tokens.push(value.token);
      at = value.end;
    } else {
      const name = take(word);
      if (name === undefined) throw new ConditionProblem(`Nothing can begin with ${text[at]}`, at + 1);
      push('word', name);
    }
  }
  tokens.push({ kind: 'end', text: '', column: text.length + 1 });
  return tokens;
}

/** In quotes, or up to a blank or a bracket that it has not opened itself. */
function valueAt(text: string, from: number): { token: Token; end: number } {
  let start = from;
  while (text[start] === ' ') start++;
  const column = start + 1;
  if (text[start] === '"') {
    const quoted = /"(?:[^"\\]|\\.)*"/y;
    quoted.lastIndex = start;
    const found = quoted.exec(text)?.[0];
    if (found === undefined) throw new ConditionProblem('A quote without its end', column);
    return { token: { kind: 'value', text: unquoted(found), quoted: true, column }, end: start + found.length };
  }
  let end = start;
  for (let depth = 0; end < text.length && !/\s/.test(text[end]!); end++) {
    if (text[end] === '\\') end++;
    else if (text[end] === '(') depth++;
    else if (text[end] === ')' && depth-- === 0) break;
  }
  end = Math.min(end, text.length);
  if (end === start) throw new ConditionProblem('A value is expected', column);
  return { token: { kind: 'value', text: text.slice(start, end), column }, end };
}

/** Backslashes stay before anything but quotes and backslashes: patterns are full of them. */
export const unquoted = (text: string): string => text.slice(1, -1).replace(/\\(["\\])/g, '$1');
