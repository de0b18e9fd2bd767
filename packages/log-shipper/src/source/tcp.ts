// Lines over TCP, one record each.

import { address, duration, integer } from '@outrigger/core';
import { LineServer } from './line-server.ts';
import { listenTcp } from './listen.ts';
import { definePushSource } from './push.ts';

export const tcp = definePushSource({
  summary: 'Lines over TCP',
  parameters: {
    address: address({ default: '127.0.0.1:5170', help: 'Where to listen' }),
    connections: integer({ default: '256', min: 1, max: 10_000, help: 'How many may be connected at a time' }),
    idleTimeout: duration({ default: '1h', min: '1s', help: 'After how long without a byte a connection is closed' }),
  },

  async open({ parameters: { address, ...parameters }, log, intake }) {
    const lines = new LineServer({ ...parameters, log, intake, name: 'tcp' });
    const listening = await listenTcp(lines.server, address, 'sourceTcpAddress');
    return {
      listening,
      get troubles() {
        return lines.trouble === undefined ? [] : [{ path: listening, reason: lines.trouble }];
      },
      [Symbol.asyncDispose]: () => lines[Symbol.asyncDispose](),
    };
  },
});
