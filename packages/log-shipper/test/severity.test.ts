import { describe, expect, test } from 'vitest';
import { levelName, severities, severityOf, severityOfBytes, syslogSeverity } from '../src/severity.ts';

describe('words', () => {
  test.for([
    [1, 'trace', 'TRACE', 'TRC', 'Verbose', 'FINEST', 'V'],
    [5, 'debug', 'DEBUG', 'dbg', 'Fine', 'D'],
    [9, 'info', 'INFO', 'Information', 'inf', 'I', 'INFO:', '[info]', ' INFO '],
    [10, 'notice', 'INFO2'],
    [13, 'warn', 'WARNING', 'wrn', 'W', 'SEVERITY_NUMBER_WARN'],
    [17, 'error', 'ERR', 'SEVERE', 'fail', 'E'],
    [18, 'critical', 'CRIT', 'crit'],
    [19, 'alert'],
    [21, 'fatal', 'FATAL', 'panic', 'F', 'emerg'],
    [24, 'FATAL4'],
    [0, '', 'loud', 'constructor', '__proto__', 'toString', 'a sentence of several words', 'inf o'],
  ] as const)('%j', ([level, ...words]) => {
    for (const word of words) {
      expect(severityOf(word), word).toBe(level);
      const bytes = Buffer.from(`"${word}"`);
      expect(severityOfBytes(bytes, 1, bytes.length - 1), word).toBe(level);
    }
  });
});

describe('numbers', () => {
  test.for([
    [
      'auto',
      [0, 21],
      [3, 17],
      [6, 9],
      [7, 5],
      [10, 1],
      [20, 5],
      [30, 9],
      [35, 9],
      [40, 13],
      [50, 17],
      [60, 21],
      [17, 17],
      [1000, 21],
    ],
    ['syslog', [0, 21], [1, 19], [2, 18], [3, 17], [4, 13], [5, 10], [6, 9], [7, 5], [8, 0], [1.5, 0]],
    ['pino', [10, 1], [20, 5], [30, 9], [40, 13], [50, 17], [60, 21], [5, 0]],
    ['python', [10, 5], [20, 9], [30, 13], [40, 17], [50, 21]],
    ['otlp', [1, 1], [9, 9], [24, 24], [0, 0], [25, 0]],
  ] as const)('%j', ([scale, ...pairs]) => {
    for (const [number, level] of pairs) {
      expect(severityOf(number, scale), String(number)).toBe(level);
      if (Number.isInteger(number)) expect(severityOf(String(number), scale), String(number)).toBe(level);
    }
  });
  test('what is none', () => {
    for (const value of [-1, Number.NaN, null, undefined, true, {}, []]) expect(severityOf(value)).toBe(0);
  });
});

test('every severity of syslog comes back as it was', () => {
  severities.forEach((word, number) => {
    expect(syslogSeverity(severityOf(word))).toBe(number);
    expect(syslogSeverity(severityOf(number, 'syslog'))).toBe(number);
  });
});

test('names', () => {
  expect([1, 4, 5, 9, 12, 13, 17, 21, 24].map(levelName)).toEqual([
    'trace',
    'trace',
    'debug',
    'info',
    'info',
    'warn',
    'error',
    'fatal',
    'fatal',
  ]);
  expect([0, 25].map(levelName)).toEqual([undefined, undefined]);
});
