// How a client is written in logs and in /v1/connections.

import type { Endpoint } from '../proxy-protocol.ts';

export function addressOf(endpoint: Endpoint | undefined): string {
  if (!endpoint) return 'unknown';
  const { host, port } = endpoint;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
