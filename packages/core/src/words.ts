// `prestop` and `health live|ready|startup`: the same program asks its running self, for hooks and probes by command.

import { connectable } from './address.ts';
import { type Client, openClient, type Probe, ProblemError } from './client/client.ts';
import { nearest } from './parameters/nearest.ts';
import type { OpenParameters } from './parameters/open-parameters.ts';

const probes: Readonly<Record<string, Probe>> = { live: 'livez', ready: 'readyz', startup: 'startupz' };

/** Rejects with what is to be said when it is not so. */
type Word = (client: Client) => Promise<unknown>;

/** Returns the exit code: 0 done or healthy, 1 not, 64 for unknown words. */
export async function sendWord({ words, values, problems }: OpenParameters): Promise<number> {
  const wanted = parseWords(words);
  if (typeof wanted === 'string') return complain(wanted, 64);
  const wrong = problems.find(({ parameter }) => parameter.startsWith('--admin-'));
  if (wrong || !values.adminAddress) return complain(`--admin-address: ${wrong?.message}`, 64);
  using client = openClient(values.adminAddress, { token: values.adminToken, maxBody: 64 * 1024 });
  try {
    await wanted(client);
    return 0;
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof ProblemError) return complain(message, 1);
    return complain(`${connectable(values.adminAddress)} does not answer: ${message}`, 1);
  }
}

function parseWords([word = '', argument, ...more]: readonly string[]): Word | string {
  if (word === 'prestop' && argument === undefined) return (client) => client.request('POST /v1/prestop');
  const probe = probes[argument ?? ''];
  if (word === 'health' && probe && more.length === 0) return (client) => demand(client, probe);
  if (word === 'health') return 'health live, health ready or health startup is expected';
  const guess = nearest(word, ['prestop', 'health']);
  return `"${word}" is unknown${guess ? `; did you mean ${guess}?` : '; --help lists parameters and words'}`;
}

async function demand(client: Client, probe: Probe): Promise<void> {
  const { ok, status, text } = await client.probe(probe);
  if (!ok) throw new ProblemError(`GET /${probe}`, { status, code: 'UNHEALTHY', detail: text.trim() });
}

function complain(message: string, code: number): number {
  process.stderr.write(`${message}\n`);
  return code;
}
