// `openssl s_time`: a connection for each request. It alone says of every one whether its session was new; wrk and h2load
// resume a session on each new connection, whatever the headers of the request.

import { generate } from '../machine.ts';
import { answerSize } from './answer-size.ts';
import { type Load, wholeSeconds } from './load.ts';

type Handshakes = { readonly version: 'tls1_2' | 'tls1_3'; readonly resumed: boolean };

/** Each has one connection at a time. */
const clients = 8;

// It sends `GET <this> HTTP/1.0`: what is given ends in a field of its own.
const asked = '/small HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Version:';

export function sTime({ version, resumed }: Handshakes): Load {
  return async (target, span) => {
    const size = await answerSize(target, `GET ${asked} HTTP/1.0\r\n\r\n`);
    // Of the clock too it counts only whole seconds.
    const seconds = String(wholeSeconds(span));
    const run = async () => {
      const output = await generate([
        ...(['openssl', 's_time', '-connect', `127.0.0.1:${target.port}`, '-time', seconds, `-${version}`] as const),
        ...[resumed ? '-reuse' : '-new', '-www', asked],
      ]);
      if (!isClean(output, resumed, size)) throw new Error(`Not every handshake was as it should be:\n${output}`);
    };
    return { over: Promise.all(Array.from({ length: clients }, run)).then(() => undefined) };
  };
}

/** It prints a letter for each connection: r for a resumed session, * for a new one. */
function isClean(output: string, resumed: boolean, size: number): boolean {
  const [letters = ''] = /^[r*]+$/m.exec(output) ?? [];
  const [, connections, octets] = /^(\d+) connections in .* bytes read (\d+)$/m.exec(output) ?? [];
  const { length } = letters;
  const isAsWanted = length > 0 && letters === (resumed ? 'r' : '*').repeat(length);
  return isAsWanted && length === Number(connections) && length * size === Number(octets);
}
