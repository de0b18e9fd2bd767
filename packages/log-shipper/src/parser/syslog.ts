// Syslog as it is sent (RFC 5424, RFC 3164) and as daemons write it to files (without priority). What programs really
// send in place of RFC 3164 differs: the host may be missing, the time may be that of RFC 3339 or missing too.

import { facilities, severities } from '../severity.ts';
import { defineParser, type Fields } from './parser.ts';
import { readStructured } from './structured-data.ts';

export const syslog = defineParser({
  summary: 'Syslog, RFC 5424 and RFC 3164',
  parameters: {},
  open: () => ({
    parse: (bytes, start, end) => readSyslog(bytes.toString('utf8', start, end)),
    timeField: 'time',
    levelField: 'severity',
  }),
});

const head = /^\ufeff?(?:<(\d{1,3})>)?/;
const rfc5424 = /^1 (\S+) (\S+) (\S+) (\S+) (\S+) (?=[-[])/;
const bsdTime =
  /^((?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d{1,9})?|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*) /;
const tag = /^([^\s:[\]]+)(?:\[([^\]\s]*)\])?:(?: |$)/;
const host = /^([^\s:[\]]+|[\da-fA-F.:]+) /;

export function readSyslog(line: string): Fields {
  const [whole, written] = head.exec(line)!;
  const rest = line.slice(whole.length);
  const priority = written === undefined ? undefined : Number(written);
  if (priority !== undefined && priority > 191) throw new Error(`Priority ${priority} is more than 191`);
  const told =
    priority === undefined ? {} : { facility: facilities[priority >> 3], severity: severities[priority & 7] };
  const found = priority === undefined ? null : rfc5424.exec(rest);
  if (found) return { ...told, ...readNew(rest, found) };
  const old = readOld(rest);
  // RFC 3164, 4.3.3: with a priority and nothing else that is known, the rest is the message.
  if (!old && priority === undefined) throw new Error('Neither a priority nor a time at its beginning');
  return { ...told, ...(old ?? { message: rest }) };
}

function readNew(text: string, [whole, time, host, app, pid, id]: RegExpExecArray): Fields {
  const { structured, end } = readStructured(text, whole.length);
  if (end < text.length && text[end] !== ' ') throw new Error('No space behind the structured data');
  const message = text.slice(end + 1);
  const fields = { time, host, app, pid, msgid: id };
  return {
    ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '-')),
    ...(structured && { structured }),
    message: message.startsWith('\ufeff') ? message.slice(1) : message,
  };
}

function readOld(text: string): Fields | undefined {
  const timed = bsdTime.exec(text);
  if (!timed) return undefined;
  let rest = text.slice(timed[0].length);
  const time = timed[1];
  // A program that writes to /dev/log says no host.
  const sender = tag.test(rest) ? null : host.exec(rest);
  if (sender) rest = rest.slice(sender[0].length);
  const [taken = '', app, pid] = tag.exec(rest) ?? [];
  return {
    time,
    ...(sender && { host: sender[1] }),
    ...(app && { app }),
    ...(pid && { pid }),
    message: rest.slice(taken.length),
  };
}
