// Every /v1 route of the proxy, once.

import { route } from '@outrigger/core';
import * as z from '@outrigger/core/schema';
import type { State } from './sidecar.ts';

const connection = z.object({
  client: z.string(),
  since: z.iso.datetime(),
  state: z.enum(['idle', 'reading', 'active', 'tunnel', 'closing']),
  requests: z.int(),
  unsentBytes: z.int(),
  tls: z.optional(z.object({ version: z.nullable(z.string()), cipher: z.string() })),
});

const certificate = z.object({
  file: z.string(),
  subject: z.string(),
  issuer: z.string(),
  serialNumber: z.string(),
  notBefore: z.iso.datetime(),
  notAfter: z.iso.datetime(),
  subjectAlternativeNames: z.array(z.string()),
  fingerprint256: z.string(),
});

export const routes = {
  'GET /v1/connections': route({
    summary: 'Client connections that are open and what each is doing',
    response: z.array(connection),
    handle: ({ traffic }: State) =>
      Array.from(traffic.clients, ({ address, since, state, requests, unsent, tls }) => ({
        client: address,
        since: since.toISOString(),
        state,
        requests,
        unsentBytes: unsent,
        ...(tls && { tls }),
      })),
  }),
  'GET /v1/certificates': route({
    summary: 'Certificates in use, without their keys',
    response: z.array(certificate),
    handle: ({ certificate }: State) => {
      const description = certificate?.current.description;
      return description ? [{ file: certificate?.files.certificateFile ?? '', ...description }] : [];
    },
  }),
};
