// What probes and hooks do: ask over HTTP, connect, run a command, wait.

import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect } from 'node:net';
import { reasonOf, runProgram, wait } from '@outrigger/core';
import type { IHTTPGetAction } from 'kubernetes-models/v1/HTTPGetAction';
import type { ILifecycleHandler } from 'kubernetes-models/v1/LifecycleHandler';
import { type Container, type Probe, portNumber } from '../../manifest/containers.ts';
import type { Program } from '../process/launch.ts';

export type Around = { readonly container: Container; command(words: readonly string[]): Program };

type Action = Pick<Probe & ILifecycleHandler, 'exec' | 'httpGet' | 'tcpSocket' | 'sleep'>;

// The Pod's IP on this machine.
const podAddress = '127.0.0.1';

/** Why it failed, or undefined. Never rejects. */
export async function act(action: Action, around: Around, signal: AbortSignal): Promise<string | undefined> {
  try {
    return await attempt(action, around, signal);
  } catch (error) {
    return isTimeout(signal) ? 'no answer in time' : reasonOf(error);
  }
}

const isTimeout = ({ reason }: AbortSignal) => reason instanceof Error && reason.name === 'TimeoutError';

async function attempt({ exec, httpGet, tcpSocket, sleep }: Action, around: Around, signal: AbortSignal) {
  if (exec) {
    const { file, args, env, cwd } = around.command([...(exec.command ?? [])]);
    await runProgram({ command: [file, ...args], env, directory: cwd, signal, grace: 0, outputLimit: 400 });
    return undefined;
  }
  if (httpGet) return get(httpGet, portOf(httpGet.port, around), signal);
  if (tcpSocket) return reach(tcpSocket.host ?? podAddress, portOf(tcpSocket.port, around), signal);
  if (sleep) await wait(sleep.seconds * 1000, signal);
  return undefined;
}

function portOf(port: number | string, { container }: Around): number {
  const number = portNumber(container, port);
  if (number === undefined) throw new Error(`the container declares no port named "${port}"`);
  return number;
}

function get(
  { host = podAddress, path = '/', scheme, httpHeaders = [] }: IHTTPGetAction,
  port: number,
  signal: AbortSignal,
) {
  const headers = { 'user-agent': 'kube-probe/outrigger', connection: 'close', ...named(httpHeaders) };
  const request = scheme?.toUpperCase() === 'HTTPS' ? requestHttps : requestHttp;
  return new Promise<string | undefined>((resolve, reject) => {
    // As the kubelet: whoever answers is trusted, and any redirect will do.
    const sent = request({ host, port, path, headers, signal, agent: false, rejectUnauthorized: false });
    sent.on('error', reject);
    sent.on('response', (response) => {
      const { statusCode = 0 } = response;
      response.destroy();
      resolve(statusCode >= 200 && statusCode < 400 ? undefined : `HTTP ${statusCode}`);
    });
    sent.end();
  });
}

const named = (headers: readonly { name: string; value: string }[]) =>
  Object.fromEntries([...headers].map(({ name, value }) => [name.toLowerCase(), value]));

function reach(host: string, port: number, signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.on('error', reject);
    socket.on('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
  });
}
