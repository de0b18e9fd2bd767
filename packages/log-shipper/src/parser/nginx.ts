// nginx: the combined access log and the error log, also in one file.

import { readAccessLine } from './access-log.ts';
import { defineParser, type Fields } from './parser.ts';

export const nginx = defineParser({
  summary: 'Access log (combined) and error log of nginx',
  parameters: {},
  open: () => ({
    parse(bytes, start, end) {
      const line = bytes.toString('utf8', start, end);
      const fields = readErrorLine(line) ?? readAccessLine(line);
      if (!fields) throw new Error('Neither a line of the access log nor of the error log');
      return fields;
    },
    timeField: 'time',
    levelField: 'level',
  }),
});

const errorLine = /^(\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d) \[([a-z]+)\] (\d+)#(\d+): (?:\*(\d+) )?(.*)$/s;
// nginx adds these to a message, in this order and each at most once.
const additions = ['client', 'server', 'request', 'subrequest', 'upstream', 'host', 'referrer'];

function readErrorLine(line: string): Fields | undefined {
  const found = errorLine.exec(line);
  if (!found) return undefined;
  const [, time, level, pid, tid, connection, rest] = found;
  return {
    time,
    level,
    pid: Number(pid),
    tid: Number(tid),
    ...(connection && { connection: Number(connection) }),
    ...split(rest!),
  };
}

/** From the end, since the message may hold anything. */
function split(text: string): Fields {
  const added: [string, string][] = [];
  let rest = text;
  for (const name of additions.toReversed()) {
    const at = rest.lastIndexOf(`, ${name}: `);
    if (at === -1) continue;
    const value = rest.slice(at + name.length + 4);
    added.unshift([name, value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value]);
    rest = rest.slice(0, at);
  }
  return { message: rest, ...Object.fromEntries(added) };
}
