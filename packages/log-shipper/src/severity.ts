// One scale for how severe a record is: OTLP's severityNumber, 1 to 24; 0 where nothing is known.
// The steps between words and numbers are those of the OpenTelemetry log data model.

export const severities = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;

export const facilities = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp'],
  ...['ntp', 'audit', 'alert', 'clock'],
  ...['local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
];

const [trace, debug, info, notice, warn, error, critical, alert, fatal] = [1, 5, 9, 10, 13, 17, 18, 19, 21] as const;

/** How numbers count. `auto`: 0 to 7 as syslog does, else tens as pino does, else as OTLP. */
export const levelScales = ['auto', 'syslog', 'pino', 'python', 'otlp'] as const;
export type LevelScale = (typeof levelScales)[number];

const words = new Map(
  Object.entries({
    ...{ trace, trc: trace, t: trace, verbose: trace, vrb: trace, v: trace, finest: trace, all: trace, silly: trace },
    ...{
      finer: 2,
      trace1: trace,
      trace5: trace,
      trace6: trace,
      trace7: trace,
      trace8: trace,
      trace2: 2,
      trace3: 3,
      trace4: 4,
      fine: debug,
      config: 6,
    },
    ...{ debug, dbg: debug, dbug: debug, d: debug, debug2: 6, debug3: 7, debug4: 8 },
    ...{
      info,
      information: info,
      informational: info,
      inf: info,
      i: info,
      log: info,
      ok: info,
      success: info,
      http: info,
    },
    ...{ notice, ntc: notice, note: notice, n: notice, info2: 10, info3: 11, info4: 12 },
    ...{ warn, warning: warn, wrn: warn, w: warn, warn2: 14, warn3: 15, warn4: 16 },
    ...{ error, err: error, eror: error, e: error, fail: error, failure: error, severe: error, exception: error },
    ...{ error2: 18, error3: 19, error4: 20 },
    ...{ critical, crit: critical, crt: critical, c: critical, alert, dpanic: alert, a: alert },
    ...{
      fatal,
      ftl: fatal,
      f: fatal,
      panic: fatal,
      emerg: fatal,
      emergency: fatal,
      fatal2: 22,
      fatal3: 23,
      fatal4: 24,
    },
  }),
);

const bySyslog = [fatal, alert, critical, error, warn, notice, info, debug];
const byTens = [0, trace, debug, info, warn, error, fatal];
const byPython = [0, debug, info, warn, error, fatal];

/** Of what a field holds: a word in any case, a number or its digits. */
export function severityOf(value: unknown, scale: LevelScale = 'auto'): number {
  if (typeof value === 'number') return ofNumber(value, scale);
  if (typeof value !== 'string' || value.length > 24) return 0;
  // Nearly all are written as they are in the table, or all in capitals.
  return words.get(value) ?? ofText(value, scale);
}

function ofText(value: string, scale: LevelScale): number {
  const word = value
    .trim()
    .toLowerCase()
    .replace(/^[[<(]|[\])>:]$/g, '');
  if (/^\d+$/.test(word)) return ofNumber(Number(word), scale);
  return words.get(word) ?? words.get(word.replace(/^severity_number_|^log_level_/, '')) ?? 0;
}

function ofNumber(value: number, scale: LevelScale): number {
  if (!(value >= 0)) return 0;
  switch (scale) {
    case 'syslog':
      return bySyslog[value] ?? 0;
    case 'otlp':
      return value >= 1 && value <= 24 ? Math.floor(value) : 0;
    case 'python':
      return byPython[Math.min(Math.floor(value / 10), 5)]!;
    case 'pino':
      return byTens[Math.min(Math.floor(value / 10), 6)]!;
    case 'auto':
      if (value <= 7) return bySyslog[value] ?? 0;
      if (value < 25 && value % 10 !== 0) return Math.floor(value);
      return byTens[Math.min(Math.floor(value / 10), 6)]!;
  }
}

const longest = 24;

/** What was read last of those that begin alike: a log has few levels, and making a string costs twenty comparisons. */
type Known = { readonly bytes: Uint8Array; length: number; scale: LevelScale; level: number };
const known: Known[] = Array.from({ length: 32 }, () => ({
  bytes: new Uint8Array(longest),
  length: -1,
  scale: 'auto',
  level: 0,
}));

/** Bytes of a word or of digits, without quotes. */
export function severityOfBytes(bytes: Buffer, start: number, end: number, scale: LevelScale = 'auto'): number {
  const length = end - start;
  if (length > longest || length <= 0) return 0;
  const entry = known[bytes[start]! & 31]!;
  if (entry.length === length && entry.scale === scale && isSame(entry.bytes, bytes, start, end)) return entry.level;
  entry.bytes.set(bytes.subarray(start, end));
  entry.length = length;
  entry.scale = scale;
  entry.level = severityOf(bytes.toString('latin1', start, end), scale);
  return entry.level;
}

function isSame(known: Uint8Array, bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (known[at - start] !== bytes[at]) return false;
  return true;
}

/** Of OTLP's scale, 0 (emerg) to 7 (debug). What is not known is info. */
export function syslogSeverity(level: number): number {
  if (level >= fatal) return 0;
  if (level >= alert) return 1;
  if (level >= critical) return 2;
  if (level >= error) return 3;
  if (level >= warn) return 4;
  if (level >= notice && level < warn) return 5;
  return level >= info || level === 0 ? 6 : 7;
}

const names = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LevelName = (typeof names)[number];
export const levelNames: readonly LevelName[] = names;

/** The word that most programs use for it. */
export const levelName = (level: number): LevelName | undefined =>
  level >= 1 && level <= 24 ? names[Math.floor((level - 1) / 4)] : undefined;
