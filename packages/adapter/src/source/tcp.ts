// Whatever a port says until it closes: Ganglia's gmond and its like.

import { once } from 'node:events';
import { connect } from 'node:net';
import { addAbortSignal } from 'node:stream';
import type { Source } from './source.ts';

export const tcp: Source = {
  summary: 'Everything that a TCP port says until it closes',
  schemes: ['tcp'],
  example: 'tcp://127.0.0.1:8649',
  check: ({ hostname, port }) => (hostname && port ? undefined : 'tcp://host:port is expected'),
  async open({ target, signal }) {
    const host = target.hostname.replace(/^\[|\]$/g, '');
    const socket = addAbortSignal(signal, connect({ host, port: Number(target.port) }));
    await once(socket, 'connect');
    return { chunks: socket };
  },
};
