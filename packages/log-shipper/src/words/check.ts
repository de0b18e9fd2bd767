// `log-shipper check --sink X`: sends one marked record and says what every step of the way to the receiver answers.

import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, isIP } from 'node:net';
import { type Address, formatDuration, ParameterProblem, reasonOf } from '@outrigger/core';
import type { SinkMember, Verdict } from '../sink/sink.ts';
import type { Peer } from '../sink/stream/connect.ts';
import { batchOf, type Sampled, wordContext } from './sample.ts';

const patience = 10_000;
/** Receivers refuse, or sort wrongly, what seems to come from another time. */
const mostSkew = 5_000;

type Target =
  | { readonly host: string; readonly port: number; readonly url: URL | undefined }
  | { readonly path: string };
type Values = Readonly<Record<string, unknown>>;

/** Whether every sink takes it. */
export async function check(parameters: Sampled): Promise<boolean> {
  let well = true;
  for (const { name, member, parameters: own } of parameters.sink) {
    process.stdout.write(`${name}\n`);
    for (const target of targetsOf(own)) well = (await reach(stepsTo(target, own))) && well;
    well = (await send(member, own, parameters)) && well;
  }
  return well;
}

/** Whatever says where to connect. */
function targetsOf(own: Values): Target[] {
  if (typeof own.socketPath === 'string') return [{ path: own.socketPath }];
  return Object.values(own)
    .flat()
    .flatMap((value): Target[] => {
      if (value instanceof URL) {
        const port = Number(value.port) || (value.protocol === 'https:' ? 443 : 80);
        return [{ host: value.hostname.replace(/^\[|\]$/g, ''), port, url: value }];
      }
      if (typeof value !== 'object' || value === null || !('host' in value) || !('port' in value)) return [];
      const { host, port } = value as Address;
      return [{ host, port, url: undefined }];
    });
}

type Steps = readonly (readonly [string, () => Promise<string>])[];

function stepsTo(target: Target, own: Values): Steps {
  const signal = AbortSignal.timeout(patience);
  if ('path' in target) return [['connection', () => connected(target, signal)]];
  const { host, port, url } = target;
  const addresses = async () => (await lookup(host, { all: true })).map(({ address }) => address);
  const name = ['name', async () => `${host} is ${(await addresses()).join(', ')}`] as const;
  // Nobody says whether anybody is there.
  if (own.transport === 'udp') return [name];
  const isSecure = url
    ? url.protocol === 'https:'
    : own.tls === true || tlsFiles.some((file) => own[file] !== undefined);
  return [
    name,
    ['connection', () => connected({ host, port }, signal)],
    ...(isSecure ? [['TLS', () => secured({ host, port }, own, signal)] as const] : []),
    ...(url?.protocol === 'http:' ? [['clock', () => clock(url, signal)] as const] : []),
  ];
}

const tlsFiles = ['caFile', 'certificateFile', 'keyFile'];

/** One line per step, and no step after one that failed. */
async function reach(steps: Steps): Promise<boolean> {
  for (const [step, take] of steps) {
    const begun = performance.now();
    try {
      say(step, 'ok', `${await take()} (${formatDuration(Math.round(performance.now() - begun))})`);
    } catch (error) {
      say(step, 'failed', reasonOf(error));
      return false;
    }
  }
  return true;
}

async function connected(peer: Peer, signal: AbortSignal): Promise<string> {
  const socket = connect(peer);
  try {
    await once(socket, 'connect', { signal });
    return 'path' in peer ? peer.path : `port ${peer.port}`;
  } finally {
    socket.destroy();
  }
}

/** The chain as the receiver shows it, and whether it is one that we trust. */
async function secured(target: { host: string; port: number }, own: Values, signal: AbortSignal): Promise<string> {
  const tls = await import('node:tls');
  const { readTls } = await import('@outrigger/core/tls-files');
  const files = own as { caFile?: string; certificateFile?: string; keyFile?: string; tlsServerName?: string };
  const { context } = readTls({ caFile: files.caFile, certificateFile: files.certificateFile, keyFile: files.keyFile });
  const servername = files.tlsServerName ?? (isIP(target.host) ? undefined : target.host);
  const socket = tls.connect({ ...target, secureContext: context, ...(servername !== undefined && { servername }) });
  try {
    await once(socket, 'secureConnect', { signal });
    const { subject, issuer, valid_to } = socket.getPeerCertificate();
    return `${socket.getProtocol()}, ${subject?.CN ?? 'no name'} by ${issuer?.CN ?? 'no name'}, until ${valid_to}`;
  } finally {
    socket.destroy();
  }
}

async function clock(url: URL, signal: AbortSignal): Promise<string> {
  const asked = request(url, { method: 'HEAD', signal, agent: false });
  asked.end();
  const [response] = await once(asked, 'response');
  response.resume();
  const theirs = Date.parse(response.headers.date ?? '');
  if (Number.isNaN(theirs)) return 'the receiver does not say what time it is';
  const skew = Date.now() - theirs;
  if (Math.abs(skew) > mostSkew)
    throw new Error(`ours is ${formatDuration(Math.abs(skew))} ${skew > 0 ? 'ahead' : 'behind'}`);
  return 'as ours';
}

async function send(member: SinkMember, own: Values, parameters: Sampled): Promise<boolean> {
  const ending = new AbortController();
  const begun = performance.now();
  try {
    const sink = await member.open(own as never, wordContext(ending.signal));
    try {
      const batch = await batchOf(Buffer.from(`${marked(parameters)}\n`), sink, parameters);
      if (!batch) throw new Error('the pipeline leaves nothing of the record');
      const verdict = await sink.write(batch, AbortSignal.timeout(sink.timeout ?? patience));
      const well = verdict.became === 'delivered';
      say(
        'record',
        well ? 'ok' : 'failed',
        `${spoken(verdict)} (${formatDuration(Math.round(performance.now() - begun))})`,
      );
      return well;
    } finally {
      await sink.close?.();
    }
  } catch (error) {
    if (error instanceof ParameterProblem) throw error;
    say('record', 'failed', reasonOf(error));
    return false;
  } finally {
    ending.abort();
  }
}

/** What the parser reads, where it reads JSON; a line otherwise. */
function marked({ parser }: Sampled): string {
  const text = `outrigger log-shipper check ${new Date().toISOString()}`;
  return parser.name === 'json' ? JSON.stringify({ message: text }) : text;
}

function spoken(verdict: Verdict): string {
  if (verdict.became === 'delivered') return 'delivered';
  if (verdict.became === 'partly') return `dead: ${verdict.dead[0]?.reason ?? verdict.reason}`;
  return `${verdict.became}: ${verdict.reason}`;
}

const say = (step: string, became: 'ok' | 'failed', what: string) =>
  process.stdout.write(`  ${step.padEnd(10)} ${became.padEnd(6)} ${what}\n`);
