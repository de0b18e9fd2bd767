// One JSON line per event on stderr; text for people when asked. A Fault is logged with its code and hint.

import { writeSync } from 'node:fs';
import { type DestinationStream, type Logger, pino } from 'pino';
import { Fault, type Fields, reasonOf } from './errors.ts';

type Say = (message: string | Error, fields?: Fields) => void;

export type Log = {
  readonly trace: Say;
  readonly debug: Say;
  readonly info: Say;
  readonly warn: Say;
  readonly error: Say;
  setLevel(level: string): void;
};

export type LogOptions = { readonly role: string; readonly level: string; readonly format: 'json' | 'pretty' };

/** @param destination where lines go, stderr unless a test reads them. */
export function openLog({ role, level, format }: LogOptions, destination?: DestinationStream): Log {
  const logger = pino(
    {
      level,
      base: { role },
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination ?? (format === 'pretty' ? { write: (line) => writeAll(prettyLine(line)) } : { write: writeAll }),
  );
  return {
    trace: say(logger, 'trace'),
    debug: say(logger, 'debug'),
    info: say(logger, 'info'),
    warn: say(logger, 'warn'),
    error: say(logger, 'error'),
    setLevel: (name) => {
      logger.level = name;
    },
  };
}

const say =
  (logger: Logger, level: 'trace' | 'debug' | 'info' | 'warn' | 'error'): Say =>
  (message, fields = {}) => {
    if (typeof message === 'string') return logger[level](fields, message);
    if (message instanceof Fault) return logger[level]({ ...faultFields(message), ...fields }, message.message);
    logger[level]({ ...(level === 'error' && { stack: message.stack }), ...fields }, reasonOf(message));
  };

function faultFields({ code, hint, fields, cause }: Fault): Fields {
  return { code, ...fields, ...(cause !== undefined && { cause: reasonOf(cause) }), hint };
}

// Synchronous, so that nothing said is lost at exit. A full pipe whose reader is slow is waited for by trying again; a
// closed one has no reader left to tell.
function writeAll(line: string): void {
  const bytes = Buffer.from(line);
  let offset = 0;
  while (offset < bytes.length) {
    try {
      offset += writeSync(2, bytes, offset);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** A JSON log line as text: time, level, role, message, fields. */
export function prettyLine(line: string): string {
  const { time, level, role, message, stack, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)}`,
  );
  const head = `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${role} ${message}`;
  return `${[head, ...rest].join(' ')}\n${typeof stack === 'string' ? `${stack}\n` : ''}`;
}
