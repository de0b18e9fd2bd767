import { route } from '@outrigger/core';
import * as z from '@outrigger/core/schema';
import { type Shipper, view } from './view.ts';

const sink = z.object({
  name: z.string(),
  state: z.enum(['idle', 'sending', 'retrying', 'broken', 'ended']),
  /** Why it takes nothing at present. */
  reason: z.optional(z.string()),
  since: z.optional(z.string()),
  deliveredAt: z.optional(z.string()),
  inFlight: z.object({ records: z.int(), bytes: z.int() }),
  /** Bytes in files that it has not acknowledged. */
  lag: z.int(),
});

const progress = z.object({ read: z.int(), acknowledged: z.int() });

const file = z.object({
  path: z.string(),
  device: z.string(),
  inode: z.string(),
  size: z.int(),
  rotated: z.boolean(),
  /** By the fastest sink. */
  read: z.int(),
  /** By every sink. */
  acknowledged: z.int(),
  lag: z.int(),
  sinks: z.record(z.string(), progress),
});

const ledger = z.object({
  files: z.array(file),
  sinks: z.array(sink),
  troubles: z.array(z.object({ path: z.string(), reason: z.string() })),
  checkpoint: z.object({ path: z.string(), savedAt: z.optional(z.string()), trouble: z.optional(z.string()) }),
});

export const routes = {
  'GET /v1/ledger': route({
    summary: 'For every file and sink: what was read, what was acknowledged, what is left',
    response: ledger,
    handle: (shipper: Shipper) => view(shipper),
  }),
};

export type LedgerView = z.infer<typeof ledger>;
