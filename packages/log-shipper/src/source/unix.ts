// Lines over a Unix socket, one record each.

import { duration, integer, path } from '@outrigger/core';
import { LineServer } from './line-server.ts';
import { listenUnix } from './listen.ts';
import { definePushSource } from './push.ts';

export const unix = definePushSource({
  summary: 'Lines over a Unix socket',
  parameters: {
    path: path({
      access: 'write',
      help: 'Where the socket is made, on a volume that the application shares',
      example: '/run/logs/log.sock',
    }),
    connections: integer({ default: '256', min: 1, max: 10_000, help: 'How many may be connected at a time' }),
    idleTimeout: duration({ default: '1h', min: '1s', help: 'After how long without a byte a connection is closed' }),
  },

  async open({ parameters: { path, ...parameters }, log, intake }) {
    const lines = new LineServer({ ...parameters, log, intake, name: 'unix' });
    await listenUnix(lines.server, path, 'sourceUnixPath');
    return {
      listening: path,
      get troubles() {
        return lines.trouble === undefined ? [] : [{ path, reason: lines.trouble }];
      },
      [Symbol.asyncDispose]: () => lines[Symbol.asyncDispose](),
    };
  },
});
