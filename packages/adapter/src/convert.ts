// Fourth stage: what a rule selected becomes samples. Whatever does not fit drops that one sample and is counted.

import { createHash } from 'node:crypto';
import { type Notation, read } from './format.ts';

export type Conversion = Notation & {
  readonly type: 'counter' | 'gauge' | 'untyped';
  readonly scale: number;
  /** Words that stand for numbers; looked up before the format. */
  readonly map: Readonly<Record<string, number>>;
  /** Words that mean "no value": no sample and no error. */
  readonly ignore: readonly string[];
};

/** Raw text as selected; undefined where the path found nothing. */
export type Row = {
  readonly value: string | number | undefined;
  readonly labels: Readonly<Record<string, string | undefined>>;
};

export type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

export type Drop =
  | 'nothing_matched'
  | 'missing_value'
  | 'missing_label'
  | 'wrong_format'
  | 'out_of_range'
  | 'negative_counter'
  | 'duplicate'
  | 'too_many_series';

export class Dropped {
  readonly reason: Drop;
  /** What was found, short enough to be shown. */
  readonly example: string;

  constructor(reason: Drop, example: string) {
    this.reason = reason;
    this.example = example.length > 60 ? `${example.slice(0, 60).toWellFormed()}...` : example;
  }
}

/** A sample, a reason why there is none, or undefined when the rule says that this value means none. */
export function convert(row: Row, conversion: Conversion): Sample | Dropped | undefined {
  const value = convertValue(row.value, conversion);
  if (value === undefined || value instanceof Dropped) return value;
  const labels: Record<string, string> = {};
  for (const [name, text] of Object.entries(row.labels)) {
    if (text === undefined) return new Dropped('missing_label', `label "${name}" is not there`);
    labels[name] = labelValue(text);
  }
  return { labels, value };
}

function convertValue(raw: Row['value'], conversion: Conversion): number | Dropped | undefined {
  if (raw === undefined) return new Dropped('missing_value', 'the value is not there');
  if (typeof raw === 'number') return checked(raw, String(raw), conversion);
  const written = raw.trim();
  if (conversion.ignore.includes(written)) return undefined;
  const word = Object.hasOwn(conversion.map, written) ? conversion.map[written] : undefined;
  if (word !== undefined) return checked(word, written, conversion, true);
  const value = read(written, conversion);
  if (value === undefined) return new Dropped('wrong_format', `"${written}" is no ${conversion.format}`);
  return checked(scaled(value, conversion.scale), written, conversion);
}

function checked(value: number, written: string, { type }: Conversion, chosen = false): number | Dropped {
  // Infinity can be meant ("unlimited"), but only the rules can say so; it never counts.
  if (!Number.isFinite(value) && !(chosen && type !== 'counter')) return new Dropped('out_of_range', `"${written}"`);
  if (type === 'counter' && value < 0) return new Dropped('negative_counter', `"${written}"`);
  return value;
}

/** 0.001 has no exact binary form, a division by 1000 is rounded once: 3 ms stays 0.003. */
function scaled(value: number, scale: number): number {
  const divisor = Math.round(1 / scale);
  return Math.abs(scale) < 1 && Math.abs(divisor * scale - 1) < 1e-12 ? value / divisor : value * scale;
}

// Beyond it managed collectors refuse the whole scrape.
const longest = 1023;

const control = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;
const controls = new RegExp(control, 'g');

/** Text from outside, made harmless: no control characters, no lone surrogates, bounded but still told apart. */
function labelValue(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed();
  const clean = (control.test(whole) ? whole.replace(controls, ' ') : whole).trim();
  if (clean.length <= longest) return clean;
  const points = [...clean];
  if (points.length <= longest) return clean;
  const hash = createHash('sha256').update(clean).digest('hex').slice(0, 16);
  return `${points.slice(0, longest - 17).join('')}#${hash}`;
}
