// A line as containerd and CRI-O write it. To have the pieces of long lines joined, cri is the framing, not the parser.

import { defineParser } from './parser.ts';

export const cri = defineParser({
  summary: 'A line of a container log as containerd and CRI-O write it: time, stream, log',
  parameters: {},
  open: () => ({
    parse(bytes, start, end) {
      const line = bytes.toString('utf8', start, end);
      const found = /^(\d{4}-\d\d-\d\dT\S+) (stdout|stderr) ([FP])(?::\S*)?(?: (.*))?$/s.exec(line);
      if (!found) throw new Error('Not a line of a container log');
      const [, time, stream, tag, log = ''] = found;
      return { time, stream, log, ...(tag === 'P' && { partial: true }) };
    },
    timeField: 'time',
  }),
});
