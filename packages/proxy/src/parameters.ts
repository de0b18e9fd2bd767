// Every parameter of the proxy, once.

import { address, boolean, choice, duration, integer, list, nested, path, size, text, url } from '@outrigger/core';
import { readRoutes, routesSchema } from './routes/rules.ts';

export const parameters = {
  mode: choice(['http', 'tcp'], {
    default: 'http',
    help: 'What clients speak: HTTP, or octets of any protocol, which are passed on as they are',
  }),
  listenAddress: address({ default: '0.0.0.0:8443', help: 'Where clients connect' }),
  upstream: url({
    default: 'http://127.0.0.1:8080',
    schemes: ['http', 'h2c', 'tcp', 'unix'],
    reach: true,
    help: 'The application: http://host:port, unix:/path, h2c://host:port (HTTP/2 without TLS, for gRPC) or, with --mode tcp, tcp://host:port',
  }),
  allowPlainUpstream: boolean({
    default: 'false',
    help: 'Allow an --upstream on another host, where anyone in between can read and change what is said',
  }),
  tlsCertificateFile: list((options) => path({ ...options, access: 'read' }), {
    default: [],
    help: 'PEM file with a certificate and its chain; read again when it changes. Repeated for further names (chosen by SNI) or for RSA beside ECDSA. Without one clients speak plain text',
  }),
  tlsKeyFile: list((options) => path({ ...options, access: 'read' }), {
    default: [],
    help: 'PEM file with the private key of the certificate file in the same place',
  }),
  tlsMinimumVersion: choice(['1.2', '1.3'], { default: '1.2', help: 'Oldest version of TLS that clients may speak' }),
  tlsTicketRotation: duration({
    default: '12h',
    min: '1s',
    reloadable: true,
    help: 'How long a key of session tickets is used; tickets of the one before mean a full handshake',
  }),
  clientCaFile: path({
    access: 'read',
    optional: true,
    help: 'PEM file with the authorities, roots or intermediates, that certificates of clients must come from; with it clients are asked for one. With --client-crl-file it must hold each chain up to its root',
  }),
  clientCertificate: choice(['none', 'optional', 'required'], {
    optional: true,
    help: 'none: clients are not asked for a certificate; optional: those without one are let in, too; required is the default with --client-ca-file',
  }),
  clientCrlFile: path({
    access: 'read',
    optional: true,
    help: 'PEM file with a revocation list of each authority in --client-ca-file',
  }),
  clientAllowDns: list(text, {
    default: [],
    reloadable: true,
    help: 'DNS name in the certificate of a client that is let in; *.example.com stands for one label. Without any --client-allow every certificate of the authorities is good',
  }),
  clientAllowUri: list(text, {
    default: [],
    reloadable: true,
    help: 'URI in the certificate of a client that is let in, such as spiffe://example.com/ns/shop/sa/cart; a last segment * stands for the rest',
  }),
  clientAllowCn: list(text, {
    default: [],
    reloadable: true,
    help: 'Common name in the certificate of a client that is let in',
  }),
  clientAllowSpki: list(text, {
    default: [],
    reloadable: true,
    help: 'Public key of a client that is let in, as sha256/ and the base64 of its SPKI digest',
  }),
  tlsReloadPeriod: duration({
    default: '10s',
    min: '50ms',
    reloadable: true,
    help: 'How often the files of TLS are compared with what is in use, should the kernel not tell of a change',
  }),
  connectionLimit: integer({
    default: '4096',
    min: 1,
    help: 'Most client connections at once, fewer where the memory limit is small; further ones are closed as soon as they come',
  }),
  headLimit: size({ default: '32KiB', min: '1KiB', max: '1MiB', help: 'Largest header section of a request' }),
  bodyLimit: size({ optional: true, reloadable: true, help: 'Largest body of a request; unlimited when not given' }),
  handshakeTimeout: duration({
    default: '10s',
    min: '50ms',
    reloadable: true,
    help: 'How long a PROXY header and the TLS handshake may take',
  }),
  handshakeLimit: integer({
    default: '512',
    min: 1,
    reloadable: true,
    help: 'Most TLS handshakes at once; for further ones the oldest are closed',
  }),
  headTimeout: duration({
    default: '10s',
    min: '50ms',
    reloadable: true,
    help: 'How long a header section may take to arrive',
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
  bodyMinimumRate: size({
    default: '500B',
    reloadable: true,
    help: "Octets per second that a request's body must bring on average, once it has taken 10 s; 0 for any. Calls of gRPC may be silent",
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
    help: 'How long a connection to the application is kept for reuse while nothing is known of how long the application keeps it',
  }),
  routes: nested(routesSchema, {
    optional: true,
    reloadable: true,
    read: readRoutes,
    help: 'Rules by host, path and method: deny, redirect, another application, header fields. The first that fits counts',
  }),
  upgrades: list(
    (options) => text({ ...options, pattern: /[A-Za-z0-9!#$%&'*+.^_`|~/-]+/, expected: 'the name of a protocol' }),
    {
      default: ['websocket'],
      help: 'Protocol that a request may switch to (Upgrade), as the application allows; others are ignored',
    },
  ),
  allowConnect: boolean({
    default: 'false',
    help: 'Pass CONNECT on to the application, and octets both ways once it agrees; else it is refused',
  }),
  tunnelTimeout: duration({
    default: '1h',
    min: '50ms',
    reloadable: true,
    help: 'How long an upgraded connection (WebSocket), or one of --mode tcp, may be silent',
  }),
  tunnelGrace: duration({
    default: '5s',
    reloadable: true,
    help: 'How long upgraded connections, and those of --mode tcp, may go on after SIGTERM, within --drain-timeout',
  }),
  streamLimit: integer({ default: '100', min: 1, help: 'Most requests at once on a connection of HTTP/2' }),
  trustedProxies: list(text, {
    default: [],
    help: 'Address or CIDR range of proxies in front whose X-Forwarded-* and Forwarded are believed and added to; with --accept-proxy-protocol only they may connect',
  }),
  forwarded: choice(['x-forwarded', 'forwarded', 'both', 'off'], {
    default: 'x-forwarded',
    help: 'How the application is told of the client: X-Forwarded-For, -Proto and -Host, Forwarded (RFC 7239), both or not at all',
  }),
  acceptProxyProtocol: boolean({
    default: 'false',
    help: 'Each connection begins with a header of the PROXY protocol (v1 or v2); others are closed',
  }),
  sendProxyProtocol: choice(['off', 'v1', 'v2'], {
    default: 'off',
    help: 'Begin each connection to the application with a header of the PROXY protocol; with --mode tcp',
  }),
  redirectListenAddress: address({
    optional: true,
    help: 'Where plain HTTP is answered with a redirect to https',
  }),
  redirectPort: integer({
    optional: true,
    min: 1,
    max: 65_535,
    help: 'Port of https in those redirects as clients see it, where a Service or a port mapping of the container has another than --listen-address; 443 is left out of the URL. That of --listen-address when not given',
  }),
  hsts: duration({
    optional: true,
    reloadable: true,
    help: 'How long browsers are told to use https alone (Strict-Transport-Security), such as 365d',
  }),
  traceparent: choice(['pass', 'make'], {
    default: 'pass',
    reloadable: true,
    help: 'make: a request without a W3C trace context gets one, marked as not sampled; one that is there is always passed on',
  }),
  accessLog: text({
    default: 'off',
    pattern: /off|on|(?:100|\d{1,2})(?:\.\d{1,3})?%/,
    expected: 'off, on or a share such as 1%',
    reloadable: true,
    help: 'off, on or a share such as 1%: which requests get a line of JSON on stdout; failures (5xx) are in each share',
  }),
  strictness: choice(['reject', 'observe'], {
    default: 'reject',
    reloadable: true,
    help: 'observe: requests that are suspect but have one meaning only are counted and let through; what has no certain meaning is refused all the same',
  }),
};
