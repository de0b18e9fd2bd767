// Listening, for all sources that do.

import { chmod, lstat, rm } from 'node:fs/promises';
import { type AddressInfo, connect, type Server } from 'node:net';
import { type Address, listen, makeAddress, ParameterConflict, ParameterProblem } from '@outrigger/core';

/** @returns where it listens, with the port that it got. */
export async function listenTcp(server: Server, address: Address, parameter: string): Promise<string> {
  await listen(server, address, parameter);
  return String(makeAddress(address.host, (server.address() as AddressInfo).port));
}

/** The kernel's limit of a path, without the byte that ends it. */
const longest = 107;

export async function listenUnix(server: Server, path: string, parameter: string): Promise<void> {
  if (Buffer.byteLength(path) > longest)
    throw new ParameterProblem(parameter, `a path of at most ${longest} bytes is expected`);
  await removeLeft(path, parameter);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new ParameterProblem(parameter, error.message, { cause: error })));
    server.listen(path, resolve);
  });
  // The application has another uid as a rule; who may come here is a matter of who shares the volume.
  await chmod(path, 0o666);
}

/** A socket that a killed process left stands in the way. One that somebody listens on, or what is no socket, stays. */
async function removeLeft(path: string, parameter: string): Promise<void> {
  const there = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new ParameterProblem(parameter, error.message, { cause: error });
  });
  if (!there) return;
  if (!there.isSocket()) throw new ParameterProblem(parameter, 'is there and is no socket');
  if (await isListening(path)) throw new ParameterConflict(parameter, 'somebody listens there');
  await rm(path, { force: true });
}

const isListening = (path: string) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
