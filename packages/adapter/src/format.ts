// How a value is written in the document. Nothing is guessed: what does not fit its rule's format is undefined.

export const formats = ['number', 'percent', 'boolean', 'duration', 'size', 'timestamp'] as const;
export type Format = (typeof formats)[number];

export type Notation = {
  readonly format: Format;
  /** Between groups of three digits; none unless the rule says so. */
  readonly thousands?: string | undefined;
  readonly decimal: string;
};

/** The number that a written value stands for, in base units: seconds, bytes, ratios. */
export function read(written: string, notation: Notation): number | undefined {
  switch (notation.format) {
    case 'number':
      return readNumber(written, notation);
    case 'percent':
      return percent(written, notation);
    case 'boolean':
      return booleans.get(written.toLowerCase());
    case 'duration':
      return duration(written, notation);
    case 'size':
      return sum(written, sizes, notation);
    case 'timestamp':
      return timestamp(written);
  }
}

// Leading zeros, hexadecimal and NaN are left out on purpose: "007" is a name more often than a seven.
const plain = /^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

function readNumber(written: string, { thousands, decimal }: Notation): number | undefined {
  let digits = written;
  if (thousands !== undefined) {
    // A page that prints a space often prints a no-break or a thin one.
    const mark = thousands === ' ' ? '[ \\u00a0\\u2009\\u202f]' : `[${thousands}]`;
    const whole = digits.split(decimal, 1)[0]!;
    if (new RegExp(mark).test(whole) && !new RegExp(`^[+-]?\\d{1,3}(?:${mark}\\d{3})+$`).test(whole)) return undefined;
    digits = whole.replace(new RegExp(mark, 'g'), '') + digits.slice(whole.length);
  }
  if (decimal !== '.') {
    if (digits.includes('.')) return undefined;
    digits = digits.replace(decimal, '.');
  }
  return plain.test(digits) ? Number(digits) : undefined;
}

function percent(written: string, notation: Notation): number | undefined {
  const digits = /^(.*\S)\s*%$/.exec(written)?.[1];
  const value = digits === undefined ? undefined : readNumber(digits, notation);
  return value === undefined ? undefined : value / 100;
}

const booleans = new Map([
  ...['true', 'yes', 'on', 'up', 'enabled', 'active', '1'].map((word) => [word, 1] as const),
  ...['false', 'no', 'off', 'down', 'disabled', 'inactive', '0'].map((word) => [word, 0] as const),
]);

type Units = ReadonlyMap<string, number>;

const units = (groups: Readonly<Record<string, number>>): Units =>
  new Map(Object.entries(groups).flatMap(([words, factor]) => words.split(' ').map((word) => [word, factor] as const)));

// Divisors, where a factor has no exact binary form: 34 ms is 34 / 1000.
const seconds = units({
  'ns nanoseconds nanosecond': -1e9,
  'us µs μs microseconds microsecond': -1e6,
  'ms msec msecs milliseconds millisecond': -1000,
  's sec secs second seconds': 1,
  'm min mins minute minutes': 60,
  'h hr hrs hour hours': 3600,
  'd day days': 86_400,
  'w week weeks': 604_800,
});

const sizes = units({
  'b byte bytes': 1,
  'kb k': 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
});

function duration(written: string, notation: Notation): number | undefined {
  const iso = /^P(?=.)(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(written);
  const clock = /^(?:(\d+)[-:.])?(\d{1,2}):([0-5]\d):([0-5]\d(?:\.\d+)?)$/.exec(written);
  const parts = iso ?? clock;
  if (!parts) return sum(written, seconds, notation);
  const [days = 0, hours = 0, minutes = 0, rest = 0] = parts.slice(1).map((part) => Number(part ?? 0));
  return days * 86_400 + hours * 3600 + minutes * 60 + rest;
}

/** `2d 5h 3m`, `250 ms`, `1.5GiB`: each number has its unit. */
function sum(written: string, known: Units, notation: Notation): number | undefined {
  let total = 0;
  const parts = [...written.matchAll(/([^\p{L}µ]+?)\s*([\p{L}µ]+)(?:,?\s+|$|(?=\d))/guy)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== written) return undefined;
  for (const [, digits, unit] of parts) {
    const value = readNumber(digits!.trim(), notation);
    const factor = known.get(unit!.toLowerCase());
    if (value === undefined || factor === undefined) return undefined;
    total += factor < 0 ? value / -factor : value * factor;
  }
  return total;
}

/** ISO 8601 with its zone; a time without one would mean another moment on another machine. */
function timestamp(written: string): number | undefined {
  const iso = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?\s?(?:Z|[+-]\d\d:?\d\d)$/;
  if (!iso.test(written)) return undefined;
  const milliseconds = Date.parse(
    written
      .replace(',', '.')
      .replace(/^(\S+) (?=\d)/, '$1T')
      .replace(/\s/, ''),
  );
  return Number.isNaN(milliseconds) ? undefined : milliseconds / 1000;
}
