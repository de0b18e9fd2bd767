// Apache httpd: the common, combined and vhost_combined access logs and the error log of 2.2 and 2.4.

import { readAccessLine } from './access-log.ts';
import { defineParser, type Fields } from './parser.ts';

export const apache = defineParser({
  summary: 'Access log (common or combined) and error log of Apache httpd',
  parameters: {},
  open: () => ({
    parse(bytes, start, end) {
      const line = bytes.toString('utf8', start, end);
      const fields = line.startsWith('[') ? readErrorLine(line) : readAccessLine(line);
      if (!fields) throw new Error('Neither a line of the access log nor of the error log');
      return fields;
    },
    timeField: 'time',
    levelField: 'level',
  }),
});

const errorLine =
  /^\[([A-Z][a-z]{2} [A-Z][a-z]{2} [^\]]+)\] \[(?:([\w-]*):)?([a-z]+\d?)\] (?:\[pid (\d+)(?::tid (\d+))?\] )?(?:\[client ([^\]]+)\] )?(.*)$/s;

function readErrorLine(line: string): Fields | undefined {
  const found = errorLine.exec(line);
  if (!found) return undefined;
  const [, time, module, level, pid, tid, client, message] = found;
  return {
    time,
    ...(module && { module }),
    level,
    ...(pid && { pid: Number(pid) }),
    // A thread's id may be more than a number holds exactly.
    ...(tid && { tid }),
    ...(client && { client }),
    message,
  };
}
