// Durations and sizes as people write them.

const milliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `500ms`, `10s`, `1h30m`, `0` to milliseconds. Throws an Error that says what is expected. */
export function parseDuration(written: string): number {
  if (written === '0') return 0;
  const parts = [...written.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== written)
    throw new Error('a duration such as 500ms, 10s or 2m is expected');
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * milliseconds[unit!]!, 0);
}

/** Milliseconds to `1h30m`, `10s`, `500ms`. */
export function formatDuration(value: number): string {
  if (value === 0) return '0';
  let rest = value;
  let out = '';
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    const size = milliseconds[unit]!;
    // The smallest unit keeps its fraction.
    const count = unit === 'ms' ? rest : Math.floor(rest / size);
    if (count > 0) out += `${count}${unit}`;
    rest -= count * size;
  }
  return out;
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
  const match = /^(\d+(?:\.\d+)?)([kKMGT]?i?B)?$/.exec(written);
  const unit = match && bytes[match[2] ?? 'B'];
  if (!match || !unit) throw new Error('a size such as 512B, 64KiB or 1MiB is expected');
  return Math.round(Number(match[1]) * unit);
}

/** Bytes to `64KiB`, `1MiB`, `1500B`: the largest binary unit that leaves no remainder. */
export function formatSize(value: number): string {
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB']) {
    if (value !== 0 && value % bytes[unit]! === 0) return `${value / bytes[unit]!}${unit}`;
  }
  return `${value}B`;
}
