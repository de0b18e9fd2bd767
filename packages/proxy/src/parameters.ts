// Every parameter of the proxy, once.

import { address, duration, integer, path, size, url } from '@outrigger/core';

export const parameters = {
  listenAddress: address({ default: '0.0.0.0:8443', help: 'Where clients connect' }),
  upstream: url({
    default: 'http://127.0.0.1:8080',
    schemes: ['http', 'unix'],
    reach: true,
    help: 'The application: http://host:port or unix:/path',
  }),
  tlsCertificateFile: path({
    access: 'read',
    optional: true,
    help: 'PEM file with the certificate and its chain; read again when it changes. Without it clients speak plain HTTP',
  }),
  tlsKeyFile: path({ access: 'read', optional: true, help: 'PEM file with the private key of the certificate' }),
  tlsReloadPeriod: duration({
    default: '10s',
    min: '50ms',
    reloadable: true,
    help: 'How often the certificate and key files are compared with what is in use, should the kernel not tell of a change',
  }),
  connectionLimit: integer({
    default: '4096',
    min: 1,
    help: 'Most client connections at once, fewer where the memory limit is small; further ones are closed as soon as they come',
  }),
  headLimit: size({ default: '32KiB', min: '1KiB', max: '1MiB', help: 'Largest header section of a request' }),
  bodyLimit: size({ optional: true, reloadable: true, help: 'Largest body of a request; unlimited when not given' }),
  headTimeout: duration({
    default: '10s',
    min: '50ms',
    reloadable: true,
    help: 'How long the TLS handshake, and then a header section, may take to arrive',
  }),
  idleTimeout: duration({
    default: '75s',
    min: '50ms',
    reloadable: true,
    help: 'How long a client connection may wait for its next request; longer than load balancers keep theirs',
  }),
  clientTimeout: duration({
    default: '60s',
    min: '50ms',
    reloadable: true,
    help: 'How long a client may neither send nor take an octet in the middle of a request',
  }),
  upstreamTimeout: duration({
    default: '60s',
    min: '50ms',
    reloadable: true,
    help: 'How long the application may take to begin its response, or pause in the middle of it',
  }),
  upstreamConnectTimeout: duration({
    default: '5s',
    min: '50ms',
    reloadable: true,
    help: 'How long connecting to the application may take',
  }),
  upstreamIdleTimeout: duration({
    default: '1500ms',
    reloadable: true,
    help: 'How long a connection to the application is kept for reuse; shorter than applications keep theirs',
  }),
  tunnelTimeout: duration({
    default: '1h',
    min: '50ms',
    reloadable: true,
    help: 'How long an upgraded connection (WebSocket) may be silent',
  }),
};
