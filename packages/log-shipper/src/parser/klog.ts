// Kubernetes' own log format, plain and structured: I0102 15:04:05.123456 7 file.go:10] "message" key="value"

import { readPairs, unquoted } from './logfmt.ts';
import { defineParser, type Fields } from './parser.ts';

const levels: Readonly<Record<string, string>> = { I: 'info', W: 'warning', E: 'error', F: 'fatal' };
const line = /^([IWEF])(\d{4} \d\d:\d\d:\d\d\.\d{1,9}) +(\d+) ([^\s\]]+):(\d+)\] ?(.*)$/s;
const structured = /^"((?:[^"\\]|\\.)*)"(?: (.*))?$/s;

export const klog = defineParser({
  summary: 'What Kubernetes components log',
  parameters: {},
  open: () => ({
    parse(bytes, start, end) {
      const found = line.exec(bytes.toString('utf8', start, end));
      if (!found) throw new Error('Not a line of klog');
      const [, level, time, thread, file, at, text] = found;
      return { ...said(text!), time, level: levels[level!], thread: Number(thread), source: `${file}:${at}` };
    },
    timeField: 'time',
    levelField: 'level',
  }),
});

/** What comes after the message may be no pairs after all: then all of it is the message. */
function said(text: string): Fields {
  const [, message, pairs] = structured.exec(text) ?? [];
  if (message === undefined) return { message: text };
  try {
    return { ...(pairs && readPairs(pairs)), message: unquoted(message) };
  } catch {
    return { message: text };
  }
}
