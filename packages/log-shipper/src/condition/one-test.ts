// One test of a condition: a subject, an operator, a value.

import { linearPattern } from '../linear-pattern.ts';
import { levelName, severityOf } from '../severity.ts';
import type { Condition, RecordView } from './condition.ts';
import { ConditionProblem, type Token, unquoted } from './tokens.ts';

export type Test = Pick<Condition, 'needs' | 'holds'>;
type Asked = { readonly operator: string; readonly value?: Token };
type Of = (record: RecordView) => unknown;

const subjects: Readonly<Record<string, Of>> = {
  tag: ({ tag }) => tag,
  stream: ({ stream }) => stream,
  path: ({ path }) => path,
  line: ({ line }) => line,
};

export function openTest(subject: Token, { operator, value }: Asked): Test {
  if (subject.text === 'level') return { needs: 'fields', holds: levelTest(operator, value) };
  const names = /^field\.(?=.)/.test(subject.text) ? namesOf(subject.text.slice('field.'.length)) : undefined;
  const of: Of | undefined = names
    ? ({ field }) => field(names)
    : Object.hasOwn(subjects, subject.text)
      ? subjects[subject.text]
      : undefined;
  if (!of || names?.includes(''))
    throw new ConditionProblem(
      `level, tag, stream, path, line or field.<name> is expected, not ${subject.text},`,
      subject.column,
    );
  const matches = matchOf(operator, value);
  return { needs: names ? 'fields' : 'bytes', holds: (record) => matches(of(record)) };
}

/** Parted by dots; a name in quotes may hold some. */
export function namesOf(path: string): readonly string[] {
  const parts = path.match(/"(?:[^"\\]|\\.)*"|[^."]+|(?<=^|\.)(?=\.|$)/g) ?? [];
  return parts.map((part) => (part.startsWith('"') ? unquoted(part) : part));
}

type Match = (found: unknown) => boolean;

const orders: Readonly<Record<string, (one: number, other: number) => boolean>> = {
  '>=': (one, other) => one >= other,
  '<=': (one, other) => one <= other,
  '>': (one, other) => one > other,
  '<': (one, other) => one < other,
};

function matchOf(operator: string, value: Token | undefined): Match {
  if (!value) return (found) => found !== undefined;
  switch (operator) {
    case '=':
      return equals(value);
    case '!=':
      return not(equals(value));
    case '~':
      return like(value);
    case '!~':
      return not(like(value));
  }
  const limit = Number(value.text);
  if (Number.isNaN(limit)) throw new ConditionProblem('A number is expected', value.column);
  const order = orders[operator]!;
  // A text that is no number is neither more nor less.
  return (found) => found !== undefined && found !== null && found !== '' && order(Number(textOf(found)), limit);
}

const not =
  (match: Match): Match =>
  (found) =>
    !match(found);

/** Objects are as JSON writes them, so that nothing is like a text by chance. */
function textOf(found: unknown): string {
  if (typeof found === 'string') return found;
  return typeof found === 'object' ? JSON.stringify(found) : String(found);
}

function equals({ text, quoted }: Token): Match {
  const pieces = quoted ? [text] : text.split('*');
  if (pieces.length === 1) return (found) => found !== undefined && textOf(found) === text;
  return (found) => found !== undefined && isLike(textOf(found), pieces);
}

/** Stars stand for anything. Each piece is taken as early as it goes, so that it takes linear time. */
function isLike(text: string, pieces: readonly string[]): boolean {
  const first = pieces[0]!;
  const last = pieces.at(-1)!;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return at <= text.length - last.length;
}

const longest = 64 << 10;

function like({ text, column }: Token): Match {
  let pattern: ReturnType<typeof linearPattern>;
  try {
    pattern = linearPattern(text);
  } catch (error) {
    throw new ConditionProblem((error as Error).message, column);
  }
  // Of a text longer than a pattern takes, the beginning decides.
  return (found) => found !== undefined && pattern(textOf(found).slice(0, longest)) !== null;
}

function levelTest(operator: string, value: Token | undefined): Condition['holds'] {
  if (!value) return ({ level }) => level > 0;
  const limit = severityOf(value.text);
  if (limit === 0) throw new ConditionProblem('A level such as warn is expected', value.column);
  // What has no level is neither above nor below one.
  const order = orders[operator];
  // A number within a word's range counts as that word.
  const word = levelName(limit);
  if (operator === '=') return ({ level }) => levelName(level) === word;
  if (operator === '!=') return ({ level }) => levelName(level) !== word;
  if (operator === '>' || operator === '<=') {
    const end = limit + 3 - ((limit - 1) % 4);
    return operator === '>' ? ({ level }) => level > end : ({ level }) => level > 0 && level <= end;
  }
  if (!order) throw new ConditionProblem('A level is compared by = != < <= > or >=', value.column);
  return ({ level }) => level > 0 && order(level, limit);
}
