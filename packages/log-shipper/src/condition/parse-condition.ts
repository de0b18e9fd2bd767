// Reads a condition: tests joined by `and`, `or`, `not` and brackets; `and` binds closer.
//
//   level>=warn   tag=app.*   stream=stderr   path=/logs/*.log   line~timeout   field.user.name=alice   field.ms>=500
//   field.path~^/health   field.trace exists   field."a.b"=c

import type { Condition } from './condition.ts';
import { openTest, type Test } from './one-test.ts';
import { ConditionProblem, type Token, tokensOf } from './tokens.ts';

/** Throws an Error that names the column. */
export function parseCondition(text: string): Condition {
  const reader = new Reader(tokensOf(text));
  const { needs, holds } = reader.read();
  return { text, needs, holds };
}

const joins = (token: Token, name: string) => token.kind === 'word' && token.text.toLowerCase() === name;

/** The stack is not endless. */
const deepest = 100;

class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  read(): Test {
    const test = this.#either();
    const { kind, text, column } = this.#next;
    if (kind !== 'end') throw new ConditionProblem(`"and" or "or" is expected instead of ${text}`, column);
    return test;
  }

  get #next(): Token {
    return this.#tokens[this.#at]!;
  }

  #either(): Test {
    return this.#joined('or', () => this.#all(), some);
  }

  #all(): Test {
    return this.#joined('and', () => this.#one(), every);
  }

  #joined(name: string, read: () => Test, join: (tests: readonly Test[]) => Test): Test {
    const tests = [read()];
    while (joins(this.#next, name)) {
      this.#at++;
      tests.push(read());
    }
    return tests.length === 1 ? tests[0]! : join(tests);
  }

  #one(): Test {
    const token = this.#next;
    if (++this.#depth > deepest) throw new ConditionProblem('Nested too deep', token.column);
    const test = this.#nested(token);
    this.#depth--;
    return test;
  }

  #nested(token: Token): Test {
    if (joins(token, 'not')) {
      this.#at++;
      const { needs, holds } = this.#one();
      return { needs, holds: (record) => !holds(record) };
    }
    if (token.kind !== 'open') return this.#test();
    this.#at++;
    const test = this.#either();
    if (this.#next.kind !== 'close') throw new ConditionProblem('A closing bracket is expected', this.#next.column);
    this.#at++;
    return test;
  }

  #test(): Test {
    const subject = this.#tokens[this.#at++]!;
    if (subject.kind !== 'word') throw new ConditionProblem('A test such as level>=warn is expected', subject.column);
    const behind = this.#next;
    if (joins(behind, 'exists')) {
      this.#at++;
      return openTest(subject, { operator: 'exists' });
    }
    if (behind.kind !== 'operator')
      throw new ConditionProblem(
        `"exists" or one of = != ~ !~ < <= > >= is expected after ${subject.text}`,
        behind.column,
      );
    const value = this.#tokens[this.#at + 1]!;
    this.#at += 2;
    return openTest(subject, { operator: behind.text, value });
  }
}

const needsOf = (tests: readonly Test[]) => (tests.some(({ needs }) => needs === 'fields') ? 'fields' : 'bytes');

const every = (tests: readonly Test[]): Test => ({
  needs: needsOf(tests),
  holds: (record) => tests.every(({ holds }) => holds(record)),
});

const some = (tests: readonly Test[]): Test => ({
  needs: needsOf(tests),
  holds: (record) => tests.some(({ holds }) => holds(record)),
});
