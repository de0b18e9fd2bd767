// Every metric of the proxy, once.

import { counter, gauge, histogram } from '@outrigger/core';

export const metrics = {
  requests: counter({ help: 'Requests answered, by class of the status code', labels: ['code'] }),
  requestDuration: histogram({
    help: 'From the whole header section of the request to the last octet of the response',
    unit: 'seconds',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  }),
  refusals: counter({ help: 'Requests refused without asking the application, by reason', labels: ['reason'] }),
  observed: counter({
    help: 'Requests let through by --strictness observe that would have been refused, by reason',
    labels: ['reason'],
  }),
  accessLogDropped: counter({ help: 'Lines of the access log that were dropped because nobody read them' }),
  abandoned: counter({ help: 'Requests whose client left before the response was complete' }),
  received: counter({ help: 'Octets received from clients, after TLS', unit: 'bytes' }),
  sent: counter({ help: 'Octets sent to clients, before TLS', unit: 'bytes' }),
  connections: counter({ help: 'Client connections accepted' }),
  connectionsRefused: counter({
    help: 'Client connections closed because of --connection-limit, --handshake-limit or for want of memory',
  }),
  openConnections: gauge({ help: 'Client connections that are open, by what they are doing', labels: ['state'] }),
  handshakeFailures: counter({ help: 'TLS handshakes that did not end in a connection' }),
  upstreamConnections: counter({ help: 'Connections opened to the application' }),
  openUpstreamConnections: gauge({ help: 'Connections to the application, in use or idle', labels: ['state'] }),
  upstreamErrors: counter({
    help: 'Failures of the application or of the connection to it, by reason',
    labels: ['reason'],
  }),
  upstreamRetries: counter({ help: 'Requests sent again because a reused connection turned out to be closed' }),
  certificateNotAfter: gauge({
    help: 'When the certificate in a file expires, since the epoch; of several the first to expire',
    unit: 'seconds',
    labels: ['file'],
  }),
  crlNextUpdate: gauge({
    help: 'When the revocation lists in a file have to be replaced, since the epoch',
    unit: 'seconds',
    labels: ['file'],
  }),
  certificateReloads: counter({ help: 'Changed files of TLS taken into use or refused', labels: ['result'] }),
};
