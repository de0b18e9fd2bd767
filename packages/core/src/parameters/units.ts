// Durations and sizes as people write them.

// Counted in microseconds, which are whole numbers up to the limit: `0.1s` and `100ms` are the same number.
const microseconds: Readonly<Record<string, number>> = { ms: 1e3, s: 1e6, m: 6e7, h: 3.6e9, d: 8.64e10 };
const longest = 100_000;

/** `500ms`, `10s`, `1h30m`, `1.5h`, `0` to milliseconds, exact to the microsecond. Throws an Error that says what is expected. */
export function parseDuration(written: string): number {
  if (written === '0') return 0;
  const parts = written.length > 64 ? [] : [...written.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== written)
    throw new Error('a duration such as 500ms, 10s or 2m is expected');
  const sum = parts.reduce((all, [, amount, unit]) => all + Math.round(Number(amount) * microseconds[unit!]!), 0);
  if (sum > longest * microseconds.d!) throw new Error(`a duration of at most ${longest}d is expected`);
  return sum / 1000;
}

/** Milliseconds to `1h30m`, `10s`, `500ms`; parses to the same value. */
export function formatDuration(value: number): string {
  let rest = Math.round(value * 1000);
  if (rest === 0) return '0';
  let out = '';
  for (const unit of ['d', 'h', 'm', 's']) {
    const count = Math.floor(rest / microseconds[unit]!);
    if (count > 0) out += `${count}${unit}`;
    rest -= count * microseconds[unit]!;
  }
  // The smallest unit keeps its fraction.
  return rest > 0 ? `${out}${rest / 1000}ms` : out;
}

const bytes: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/** `64KiB`, `1.5MB`, `512` to bytes. Throws an Error that says what is expected. */
export function parseSize(written: string): number {
  const match = written.length > 64 ? null : /^(\d+(?:\.\d+)?)([kKMGT]?i?B)?$/.exec(written);
  const unit = match && bytes[match[2] ?? 'B'];
  if (!match || !unit) throw new Error('a size such as 512B, 64KiB or 1MiB is expected');
  const value = Math.round(Number(match[1]) * unit);
  if (value > Number.MAX_SAFE_INTEGER) throw new Error('a size of less than 8192TiB is expected');
  return value;
}

/** Bytes to `64KiB`, `1MiB`, `1500B`: the largest binary unit that leaves no remainder; parses to the same value. */
export function formatSize(value: number): string {
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB']) {
    if (value !== 0 && value % bytes[unit]! === 0) return `${value / bytes[unit]!}${unit}`;
  }
  return `${value}B`;
}
