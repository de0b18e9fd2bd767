// Takes secrets out of lines, of the fields that were found in them, and of what was put beside them.
//
// Lines stay bytes: the prefilter says which ones have to be looked at, and of JSON only these are parsed. Where nobody
// can say what a record holds, because a rule fails or runs out of time, a note with its length goes instead.

import { choice, duration, list, map, text } from '@outrigger/core';
import type { Fields, Records } from '../records.ts';
import { parseObject } from '../records.ts';
import { ownPattern } from '../redact/own-pattern.ts';
import { KeyBlocks, mayBeLineOfKey } from '../redact/private-key.ts';
import { Redactor } from '../redact/redactor.ts';
import { Budget } from '../redact/rule.ts';
import { type RuleName, ruleNames, rulesOf, usual } from '../redact/rules.ts';
import { Recent } from './recent.ts';
import { defineTransform, type Transform, type TransformMetrics } from './transform.ts';

export const redact = defineTransform({
  summary: 'Puts notes in place of secrets',
  parameters: {
    rules: list((options) => choice(ruleNames, options), {
      default: usual,
      help: `What is looked for: ${ruleNames.join(', ')}`,
    }),
    keys: list(text, {
      default: [],
      help: 'More names of fields whose values are secrets; then every line is looked at',
    }),
    patterns: {
      ...map(text, {
        default: [],
        help: 'Own patterns by name, such as ticket=T-[0-9]{4,6}: regular expressions that take linear time; then every line is looked at',
      }),
      parse(written: string) {
        const at = written.indexOf('=');
        if (at < 1) throw new Error('name=pattern is expected');
        const pair = [written.slice(0, at), written.slice(at + 1)] as const;
        ownPattern(...pair);
        return pair;
      },
    },
    budget: duration({
      default: '250ms',
      min: '1ms',
      help: 'CPU time that looking at one record may take; then a note with its length goes instead of it',
    }),
  },
  open({ rules, keys, patterns, budget }, { metrics }) {
    const own = Object.entries(patterns).map(([name, pattern]) => ownPattern(name, pattern));
    return new Redact([...own, ...rulesOf(rules as readonly RuleName[], keys)], { budget, metrics });
  },
});

type Options = { readonly budget: number; readonly metrics: TransformMetrics };

/** How many files may have an open block at once. */
const mostBlocks = 1024;

class Redact implements Transform {
  readonly needs = 'bytes';
  readonly #redactor: Redactor;
  readonly #options: Options;
  readonly #followsKeys: boolean;
  readonly #blocks = new Recent<KeyBlocks>(mostBlocks);

  constructor(rules: ConstructorParameters<typeof Redactor>[0], options: Options) {
    this.#options = options;
    this.#redactor = new Redactor(rules, (rule) => options.metrics.redactions.inc({ rule }));
    this.#followsKeys = rules.some(({ name }) => name === 'private-key');
  }

  apply(records: Records): void {
    const marks = this.#marks(records);
    const block = this.#followsKeys ? this.#blockOf(records.chunk.path) : undefined;
    const { fields, own } = records;
    for (let index = 0; index < records.count; index++) {
      const marked = marks[index] === 1 || (block?.open ?? false);
      if (marked || fields?.[index] || own.has(index)) this.#apply(records, index, { marked, block });
    }
    this.#common(records);
  }

  /** Which lines may hold a secret. */
  #marks(records: Records): Uint8Array {
    const marks = new Uint8Array(records.count);
    const { prefilter } = this.#redactor;
    if (!prefilter) return marks.fill(1);
    const { bytes, spans, replaced, format } = records;
    prefilter.mark(bytes, spans, marks);
    if (replaced) for (const index of replaced.keys()) marks[index] = 1;
    if (this.#followsKeys && format === 'text')
      for (let index = 0; index < marks.length; index++)
        if (mayBeLineOfKey(spans[2 * index + 1]! - spans[2 * index]!)) marks[index] = 1;
    return marks;
  }

  #blockOf(path: string): KeyBlocks {
    const known = this.#blocks.get(path);
    if (known) return known;
    const block = new KeyBlocks();
    this.#blocks.set(path, block);
    return block;
  }

  #apply(records: Records, index: number, { marked, block }: { marked: boolean; block: KeyBlocks | undefined }): void {
    const budget = new Budget(this.#options.budget);
    try {
      if (marked && block?.takes(records.line(index).toString())) {
        this.#options.metrics.redactions.inc({ rule: 'private-key' });
        this.#replace(records, index, '[REDACTED:private-key]');
      } else if (!this.#fields(records, index, budget) && marked) this.#line(records, index, budget);
      const own = records.own.get(index);
      if (own) records.own.set(index, this.#redactor.value(own, budget) as Fields);
    } catch {
      // Whatever it was: what was not looked at to its end is not shipped, and that is counted.
      this.#refuse(records, index);
    }
  }

  #line(records: Records, index: number, budget: Budget): void {
    const source = records.line(index).toString();
    const text = this.#isObject(records, index) ? this.#object(source, budget) : this.#redactor.look(source, budget);
    if (text !== source) replaceLine(records, index, text);
  }

  /** Whether the line stands for an object that nobody has parsed. */
  #isObject(records: Records, index: number): boolean {
    return !records.fields && !records.isText(index);
  }

  /** A line of JSON as it reads: what is escaped in it, and what its keys name. */
  #object(source: string, budget: Budget): string {
    let value: Fields;
    try {
      value = parseObject(source);
    } catch {
      // Then it will be shipped as the line that it is.
      return this.#redactor.look(source, budget);
    }
    const now = this.#redactor.value(value, budget);
    return now === value ? this.#behindKeys(source, value, budget) : JSON.stringify(now);
  }

  /** Of a key that is there twice the parser shows the last value only, and what shows lines as they are shows both. */
  #behindKeys(source: string, value: Fields, budget: Budget): string {
    return this.#redactor.look(source, budget) === source ? source : JSON.stringify(value);
  }

  /** Whether fields had to change. The line does too, then, whatever it was: some sinks ship lines as they are. */
  #fields(records: Records, index: number, budget: Budget): boolean {
    const found = records.fields?.[index];
    if (!found || !records.fields) return false;
    const now = this.#lineOfKey(records, this.#redactor.value(found, budget) as Fields, budget);
    if (now === found) return false;
    records.fields[index] = now;
    const names = Object.keys(now);
    const text = names.length === 1 && names[0] === records.lineField ? now[records.lineField] : undefined;
    replaceLine(records, index, typeof text === 'string' && records.format === 'text' ? text : JSON.stringify(now));
    return true;
  }

  /** A line that is a record is known for one of a key by its length, and has become a field. */
  #lineOfKey({ format, lineField }: Records, fields: Fields, budget: Budget): Fields {
    const line = format === 'text' && Object.hasOwn(fields, lineField) ? fields[lineField] : undefined;
    if (!this.#followsKeys || typeof line !== 'string' || !mayBeLineOfKey(line.length)) return fields;
    const text = this.#redactor.look(line, budget);
    return text === line ? fields : { ...fields, [lineField]: text };
  }

  #common(records: Records): void {
    const { common } = records;
    try {
      records.common = this.#redactor.value(common, new Budget(this.#options.budget)) as Fields;
    } catch {
      // What all records have beside their own goes with none of them, and that is counted.
      this.#options.metrics.redactionFailures.inc();
      records.common = {};
    }
  }

  #replace(records: Records, index: number, note: string): void {
    if (records.fields?.[index]) records.fields[index] = { [records.lineField]: note };
    const bare = !this.#isObject(records, index);
    replaceLine(records, index, bare ? note : JSON.stringify({ [records.lineField]: note }));
  }

  #refuse(records: Records, index: number): void {
    this.#options.metrics.redactionFailures.inc();
    // What was pushed as fields has no line.
    const { length } = records.line(index);
    this.#replace(records, index, length > 0 ? `[REDACTED:unchecked, ${length} bytes]` : '[REDACTED:unchecked]');
    records.own.delete(index);
  }
}

function replaceLine(records: Records, index: number, text: string): void {
  records.replaced ??= new Map();
  records.replaced.set(index, Buffer.from(text));
}
