// Where lines can come from.

import { cri } from './cri.ts';
import { docker } from './docker.ts';
import { fifo } from './fifo.ts';
import { file } from './file.ts';
import { forward } from './forward.ts';
import { http } from './http.ts';
import type { PushMember } from './push.ts';
import type { SourceMember } from './source.ts';
import { stdin } from './stdin.ts';
import { syslog } from './syslog.ts';
import { tcp } from './tcp.ts';
import { unix } from './unix.ts';

export const sources = { file, cri, docker, stdin, fifo, http, tcp, unix, syslog, forward } satisfies Record<
  string,
  SourceMember | PushMember
>;
