import { replyRoute, route } from '@outrigger/core';
import * as z from '@outrigger/core/schema';
import { dropReasons } from './records.ts';
import { type Shipper, view } from './view.ts';

/** What became of what was read: read = delivered + buffered + dead + dropped + skipped, to the byte. */
const account = {
  delivered: z.int(),
  /** Read and not yet acknowledged. */
  buffered: z.int(),
  /** Refused by the receiver for good: dead letters. */
  dead: z.int(),
  /** Not to be shipped, by reason. */
  dropped: z.partialRecord(z.enum(dropReasons), z.int()),
  /** What is no line: holes, marks of an encoding. */
  skipped: z.int(),
};

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
  /** Of all that is followed now, and of the queue since the start. */
  read: z.int(),
  ...account,
});

const progress = z.object({ read: z.int(), acknowledged: z.int(), ...account });

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

const queue = z.object({
  /** Of all its files. */
  bytes: z.int(),
  trouble: z.optional(z.string()),
  /** In bytes of lines since the start: total = read + unread. */
  sinks: z.record(z.string(), z.object({ total: z.int(), unread: z.int(), read: z.int(), ...account })),
});

const ledger = z.object({
  files: z.array(file),
  sinks: z.array(sink),
  /** What sources that are pushed to were given, if there are any. */
  queue: z.optional(queue),
  troubles: z.array(z.object({ path: z.string(), reason: z.string() })),
  checkpoint: z.object({ path: z.string(), savedAt: z.optional(z.string()), trouble: z.optional(z.string()) }),
});

export const routes = {
  'GET /v1/ledger': route({
    summary: 'For every file and sink: what was read, what was acknowledged, what is left',
    response: ledger,
    handle: (shipper: Shipper) => view(shipper),
  }),
  'GET /v1/tap': replyRoute({
    summary: 'Live records with their origin and what the sink said, as server-sent events',
    operationId: 'tap',
    description: [
      'Each `record` event is one record in one attempt to deliver it: `path` and `offset` say where it comes from, `verdict`',
      'and `reason` what its sink answered. They are shown as they are shipped: after redaction. At most `rate` are shown each',
      'second, the first ones; `skipped` in the next event counts the others.',
    ].join(' '),
    media: 'text/event-stream',
    query: z.object({
      sink: z.optional(z.string()),
      rate: z.optional(z.int().check(z.minimum(1), z.maximum(1000))),
    }),
    problems: { 503: 'NO_MORE_STREAMS: too many listeners, or it is stopping' },
    handle: ({ tap }: Shipper, { query }) => tap.open(query),
  }),
};

export type LedgerView = z.infer<typeof ledger>;
