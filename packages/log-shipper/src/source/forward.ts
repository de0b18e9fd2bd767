// A receiver of the Forward protocol: Fluent Bit, Fluentd and their libraries send to it as they would to one of their own.

import { address, duration, integer, ParameterProblem, secret, size, text } from '@outrigger/core';
import { ForwardStream } from './forward-stream.ts';
import { LineServer } from './line-server.ts';
import { listenTcp } from './listen.ts';
import { definePushSource } from './push.ts';
import { Turns } from './turns.ts';

/** What is decoded at a time. */
const together = 0x1000000;
/** What all connections may hold of messages that have not come whole. */
const held = 0x4000000;

export const forward = definePushSource({
  summary: 'A Fluent Forward receiver, with acknowledgements',
  parameters: {
    address: address({ default: '127.0.0.1:24224', help: 'Where to listen' }),
    sharedKey: secret({ optional: true, help: 'Key that senders must know' }),
    users: secret({ optional: true, help: 'Senders must be one of these, too: name:password, with spaces in between' }),
    hostname: text({
      default: 'outrigger',
      help: 'What it calls itself when there is a key; senders need another name',
    }),
    messageLimit: size({
      default: '8MiB',
      min: '64KiB',
      max: '32MiB',
      help: 'Largest message, before and after decompression',
    }),
    connections: integer({ default: '256', min: 1, max: 10_000, help: 'How many may be connected at a time' }),
    idleTimeout: duration({ default: '1h', min: '1s', help: 'After how long without a byte a connection is closed' }),
  },

  async open({ parameters: { address, sharedKey, users, hostname, messageLimit, ...parameters }, log, intake }) {
    if (users && !sharedKey) throw new ParameterProblem('sourceForwardSharedKey', 'is needed with users');
    const turns = new Turns(together);
    const security = sharedKey && { sharedKey, users, hostname };
    const connections = new LineServer({
      ...parameters,
      log,
      intake,
      name: 'forward',
      held,
      take: (socket, options) => new ForwardStream(socket, { ...options, intake, log, security, messageLimit, turns }),
    });
    const listening = await listenTcp(connections.server, address, 'sourceForwardAddress');
    return {
      listening,
      get troubles() {
        return connections.trouble === undefined ? [] : [{ path: listening, reason: connections.trouble }];
      },
      [Symbol.asyncDispose]: () => connections[Symbol.asyncDispose](),
    };
  },
});
