// Real processes to look at, gone at the end of the test.

import { once } from 'node:events';
import { type Peer, startPeer } from '@outrigger/core/testing';

type Options = { readonly env?: Readonly<Record<string, string>>; readonly argv0?: string };

/** Speaks over stdin and stdout. */
export const runProcess = (program: string, args: readonly string[], { env = {}, ...options }: Options = {}) =>
  startPeer(program, args, { input: true, env: { PATH: process.env.PATH, ...env }, ...options });

/** What it prints next. */
export const said = async ({ process }: Peer) => String((await once(process.stdout!, 'data'))[0]);

export const script = (text: string) => [process.execPath, ['--eval', text]] as const;
