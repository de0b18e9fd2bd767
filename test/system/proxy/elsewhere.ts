// A network namespace on the other end of a cable, and programs in it: from there a peer can vanish without a word, as
// when its machine loses power.

import { execFileSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { type Peer, type PeerOptions, startPeer } from '@outrigger/core/testing';
import { newName } from '../names.ts';

export type Elsewhere = AsyncDisposable & {
  /** This machine, as seen from there. */
  readonly here: string;
  readonly there: string;
  start(program: string, args: readonly string[], options: PeerOptions): Promise<Peer>;
  /** No packet gets through any more, in either direction; nobody is told. */
  vanish(): void;
  appear(): void;
};

export function openElsewhere(): Elsewhere {
  const name = newName();
  // Names of interfaces have 15 characters at most; they go with the namespace.
  const pair = `or${randomBytes(4).toString('hex')}`;
  const [near, far] = [`${pair}h`, `${pair}t`];
  // The range that is set aside for tests of network devices; four addresses of it.
  const network = `198.18.${randomInt(256)}.${randomInt(64) * 4}`;
  const [here, there] = [after(network, 1), after(network, 2)];
  const inside = (...words: string[]) => run('ip', 'netns', 'exec', name, ...words);
  const policy = (target: 'DROP' | 'ACCEPT') => {
    for (const chain of ['INPUT', 'OUTPUT']) inside('iptables', '--policy', chain, target);
  };
  run('ip', 'netns', 'add', name);
  run('ip', 'link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', name);
  run('ip', 'address', 'add', `${here}/30`, 'dev', near);
  run('ip', 'link', 'set', near, 'up');
  inside('ip', 'address', 'add', `${there}/30`, 'dev', far);
  inside('ip', 'link', 'set', far, 'up');
  return {
    here,
    there,
    start: (program, args, options) => startPeer('ip', ['netns', 'exec', name, program, ...args], options),
    vanish: () => policy('DROP'),
    appear: () => policy('ACCEPT'),
    async [Symbol.asyncDispose]() {
      // The other end goes with it.
      run('ip', 'link', 'delete', near);
      run('ip', 'netns', 'delete', name);
    },
  };
}

const run = (program: string, ...args: string[]) => execFileSync(program, args, { encoding: 'utf8', timeout: 10_000 });

const after = (address: string, count: number) => address.replace(/\d+$/, (last) => String(Number(last) + count));
