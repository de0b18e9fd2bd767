// What a line can be.

import { apache } from './apache.ts';
import { cri } from './cri.ts';
import { json } from './json.ts';
import { klog } from './klog.ts';
import { logfmt } from './logfmt.ts';
import { nginx } from './nginx.ts';
import type { ParserMember } from './parser.ts';
import { raw } from './raw.ts';
import { regex } from './regex.ts';
import { syslog } from './syslog.ts';

export const parsers = { raw, json, logfmt, regex, nginx, apache, syslog, cri, klog } satisfies Record<
  string,
  ParserMember
>;
