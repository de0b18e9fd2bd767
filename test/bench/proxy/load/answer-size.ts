// How many octets a whole answer has, head included: what a generator that only counts octets is compared with.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Target } from './load.ts';

/** Asks once, with the octets that the generator sends. Rejects unless the answer is a 200. */
export async function answerSize({ port, secure }: Target, request: string): Promise<number> {
  const address = { port, host: '127.0.0.1' };
  const socket: Socket = secure ? connectTls({ ...address, rejectUnauthorized: false }) : connect(address);
  try {
    await once(socket, secure ? 'secureConnect' : 'connect');
    socket.write(request);
    let answer = '';
    while (!isWhole(answer)) answer += ((await once(socket, 'data')) as [Buffer])[0].toString('latin1');
    if (!answer.startsWith('HTTP/1.1 200 ')) throw new Error(`A wrong answer:\n${answer.slice(0, 1024)}`);
    return answer.length;
  } finally {
    socket.destroy();
  }
}

function isWhole(answer: string): boolean {
  const end = answer.indexOf('\r\n\r\n') + 4;
  if (end < 4) return false;
  const head = answer.slice(0, end);
  const length = /^content-length: *(\d+)\r$/im.exec(head)?.[1];
  return length === undefined ? answer.endsWith('\r\n0\r\n\r\n') : answer.length === end + Number(length);
}
