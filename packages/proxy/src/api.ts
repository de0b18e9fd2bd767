// Every /v1 route of the proxy, once.

import { route } from '@outrigger/core';
import * as z from '@outrigger/core/schema';
import { explain, explanation, listedRule, listRules, question } from './routes/describe.ts';
import type { State } from './sidecar.ts';

const connection = z.object({
  client: z.string(),
  since: z.iso.datetime(),
  protocol: z.enum(['http/1.1', 'h2', 'tcp']),
  state: z.enum(['idle', 'reading', 'active', 'tunnel', 'closing']),
  requests: z.int(),
  unsentBytes: z.int(),
  tls: z.optional(z.object({ version: z.nullable(z.string()), cipher: z.string() })),
});

const certificate = z.object({
  file: z.string(),
  use: z.enum(['server', 'clients']),
  kind: z.string(),
  names: z.array(z.string()),
  subject: z.string(),
  issuer: z.string(),
  serialNumber: z.string(),
  notBefore: z.iso.datetime(),
  notAfter: z.iso.datetime(),
  subjectAlternativeNames: z.array(z.string()),
  fingerprint256: z.string(),
  problem: z.optional(z.string()),
});

export const routes = {
  'GET /v1/connections': route({
    summary: 'Client connections that are open and what each is doing',
    response: z.array(connection),
    handle: ({ traffic }: State) =>
      Array.from(traffic.clients, ({ address, protocol, since, state, requests, unsent, tls }) => ({
        client: address,
        protocol,
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
    handle: ({ termination }: State) =>
      (termination?.certificates ?? []).map(({ names, ...rest }) => ({ ...rest, names: [...names] })),
  }),
  'GET /v1/routes': route({
    summary: 'Rules in force, in the order in which they are tried',
    response: z.array(listedRule),
    handle: ({ rules, traffic }: State) => listRules(rules.file, traffic.pools.main.name),
  }),
  'GET /v1/explain': route({
    summary: 'What would become of a request: the rule it gets, and why not those before it',
    query: question,
    response: explanation,
    handle: ({ rules, traffic }: State, { query }) =>
      explain({ router: rules.router, file: rules.file, upstream: traffic.pools.main.name }, query),
  }),
};
