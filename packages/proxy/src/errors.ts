// Every error code of the proxy, once.

import { defineErrors } from '@outrigger/core';

export const errors = defineErrors({
  PROXY_UPSTREAM_DOWN: {
    message: 'The application at {upstream} cannot be reached',
    hint: 'Is it running, and does it listen where --upstream says? Clients get 502 until it answers',
    status: 502,
  },
  PROXY_UPSTREAM_STARTING: {
    message: 'The application at {upstream} has not started yet',
    hint: 'Clients get 503 with Retry-After until it accepts its first connection',
    status: 503,
  },
  PROXY_UPSTREAM_CLOSED: {
    message: 'The application at {upstream} closed the connection before its response was complete',
    hint: 'Look for a crash in its log; if it happens to rare POST requests only, lower --upstream-idle-timeout below its keep-alive time-out',
    status: 502,
  },
  PROXY_UPSTREAM_INVALID: {
    message: 'The application at {upstream} sent what is not a valid HTTP response: {detail}',
    hint: 'Is --upstream its HTTP port?',
    status: 502,
  },
  PROXY_UPSTREAM_UNASKED: {
    message: 'The application at {upstream} sent octets that belong to no request',
    hint: 'Its Content-Length may be shorter than the body it sends; the connection was closed so that no client gets them',
    status: 502,
  },
  PROXY_UPSTREAM_TIMEOUT: {
    message: 'The application at {upstream} did not answer in time',
    hint: 'See what it is busy with; --upstream-timeout and --upstream-connect-timeout say how long it may take',
    status: 504,
  },
  PROXY_REQUEST_REFUSED: {
    message: 'The request is refused: {detail}',
    hint: 'The member "reason" of the answer, and the label of outrigger_proxy_refusals_total, name the rule',
    status: 400,
  },
  PROXY_CLIENT_REFUSED: {
    message: 'The certificate of client {client} is refused: {reason}',
    hint: 'It has to come from --client-ca-file, be in time, not be revoked, and be named by --client-allow where that is given; said at most once in 10 s',
  },
  PROXY_CERTIFICATE_REFUSED: {
    message: 'The changed certificate is not taken into use: {detail}',
    hint: 'The one before stays in use; write certificate and key together (a ..data swap does)',
  },
  PROXY_CERTIFICATE_EXPIRED: {
    message: 'The certificate {file} {detail}',
    hint: 'Renew it and replace the files; they are read again without a restart. If it is not valid yet, look at the clock',
  },
  PROXY_CRL_EXPIRED: {
    message: 'The file of revocation lists {file} {detail}',
    hint: 'Until they are replaced no client certificate can be checked, and none is accepted',
  },
  PROXY_DRAIN: {
    message:
      'Stopping waits for {requests} requests in flight, {unsent} responses that clients have not taken yet and {tunnels} tunnels',
    hint: 'They may take until --drain-timeout; it should be longer than the slowest request',
  },
});
