// What has to be right before a figure means anything.

import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { connect, type SecureVersion, type TLSSocket } from 'node:tls';
import { bodies, forwardedPath, uploadPath } from './origin.ts';
import type { Started } from './subjects.ts';

export type Checked = Pick<Started, 'name' | 'mode' | 'port'>;

type Answer = { readonly status: number | undefined; readonly body: Buffer; readonly cipher: string };
type Asked = { readonly path: string; readonly version?: SecureVersion; readonly body?: Buffer };

/** Rejects unless it answers as all of them have to, and says what it agrees with a client to encrypt with. */
export async function check({ name, mode, port }: Checked, certificateFile: string): Promise<string> {
  const ca = await readFile(certificateFile, 'utf8');
  const get = async (asked: Asked) => {
    const answer = await ask(port, ca, asked);
    if (answer.status !== 200) throw new Error(`${name} answers ${answer.status} to ${asked.path}: ${answer.body}`);
    return answer;
  };
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    for (const [path, body] of Object.entries(bodies))
      if (!(await get({ path, version })).body.equals(body)) throw new Error(`${name} does not answer with ${path}`);
  const upload = Buffer.alloc(1 << 20, 'x');
  const arrived = Number((await get({ path: uploadPath, body: upload })).body);
  // The head is part of it.
  if (arrived <= upload.length || arrived > upload.length + 2048)
    throw new Error(`${name} passed on ${arrived} octets`);
  const { body, cipher } = await get({ path: forwardedPath });
  if (mode === 'http' && String(body) !== '127.0.0.1 https') throw new Error(`${name} says "${body}" in X-Forwarded-*`);
  return cipher;
}

function ask(port: number, ca: string, { path, version, body }: Asked): Promise<Answer> {
  const options = { host: '127.0.0.1', port, path, ca, agent: false, method: body ? 'POST' : 'GET' };
  const versions = version && { minVersion: version, maxVersion: version };
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, ...versions }, (response: IncomingMessage) => {
      // After the end of the answer the socket may be gone.
      const { name: cipher, version: protocol } = (response.socket as TLSSocket).getCipher();
      const answered = (chunks: Buffer[]) =>
        resolve({ status: response.statusCode, body: Buffer.concat(chunks), cipher: `${cipher} (${protocol})` });
      response.toArray().then(answered, reject);
    });
    sent.on('error', reject).end(body);
  });
}

/** Whether a client that also speaks HTTP/1.1 gets HTTP/2. */
export function speaksHttp2({ port }: Checked): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] },
      () => {
        resolve(socket.alpnProtocol === 'h2');
        socket.destroy();
      },
    );
    socket.on('error', reject);
  });
}
