// `prestop` and `health live|ready|startup`: the same program asks its running self, for hooks and probes by command.

import { request } from 'node:http';
import { connectable } from './address.ts';
import { nearest } from './parameters/nearest.ts';
import type { OpenParameters } from './parameters/open-parameters.ts';

const timeoutMilliseconds = 5_000;
const probes: Readonly<Record<string, string>> = { live: '/livez', ready: '/readyz', startup: '/startupz' };

type Request = { readonly method: string; readonly path: string };

/** Returns the exit code: 0 done or healthy, 1 not, 64 for unknown words. */
export async function sendWord({ words, values, problems }: OpenParameters): Promise<number> {
  const wanted = parseWords(words);
  if (typeof wanted === 'string') return complain(wanted, 64);
  const wrong = problems.find(({ parameter }) => parameter.startsWith('--admin-'));
  if (wrong || !values.adminAddress) return complain(`--admin-address: ${wrong?.message}`, 64);
  try {
    const { status, body } = await ask(wanted, values);
    if (status < 300) return 0;
    return complain(`${wanted.method} ${wanted.path} answered ${status}: ${body.trim()}`, 1);
  } catch (error) {
    return complain(`${connectable(values.adminAddress)} does not answer: ${(error as Error).message}`, 1);
  }
}

function parseWords([word = '', argument, ...more]: readonly string[]): Request | string {
  if (word === 'prestop' && argument === undefined) return { method: 'POST', path: '/v1/prestop' };
  const path = probes[argument ?? ''];
  if (word === 'health' && path && more.length === 0) return { method: 'GET', path };
  if (word === 'health') return 'health live, health ready or health startup is expected';
  const guess = nearest(word, ['prestop', 'health']);
  return `"${word}" is unknown${guess ? `; did you mean ${guess}?` : '; --help lists parameters and words'}`;
}

function complain(message: string, code: number): number {
  process.stderr.write(`${message}\n`);
  return code;
}

function ask({ method, path }: Request, { adminAddress, adminToken }: OpenParameters['values']) {
  const { host, port } = connectable(adminAddress);
  const headers = { 'content-length': 0, ...(adminToken && { authorization: `Bearer ${adminToken.read()}` }) };
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const sent = request({ host, port, method, path, headers, signal: AbortSignal.timeout(timeoutMilliseconds) });
    sent.on('error', reject);
    sent.on('response', async (response) => {
      let body = '';
      try {
        for await (const chunk of response.setEncoding('utf8')) body += chunk;
        resolve({ status: response.statusCode ?? 0, body: body.slice(0, 2000) });
      } catch (error) {
        reject(error);
      }
    });
    sent.end();
  });
}
