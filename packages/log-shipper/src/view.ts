// The ledger as the API shows it.

import type { LedgerView } from './api.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Delivery } from './deliver.ts';
import { type Account, type Cursor, furthest, type Ledger } from './ledger.ts';
import { dropReasons } from './records.ts';
import type { Sources } from './sources.ts';
import type { Spool, SpoolAccount } from './spool/spool.ts';
import type { Tap } from './tap.ts';

/** What the routes see. */
export type Shipper = {
  readonly ledger: Ledger;
  readonly source: Sources;
  readonly deliveries: readonly Delivery[];
  readonly checkpoint: Checkpoint;
  readonly tap: Tap;
};

export function view({ ledger, source, deliveries, checkpoint }: Shipper): LedgerView {
  const { path, savedAt, trouble } = checkpoint;
  return {
    files: [...ledger.accounts].map(viewFile),
    sinks: deliveries.map((delivery) => ({
      ...viewSink(delivery),
      lag: ledger.lag(delivery.name),
      ...accountOf([...ledger.cursors(delivery.name).map(countsOf), ...queued(ledger, delivery.name)]),
    })),
    ...(source.queue && { queue: viewQueue(source.queue, ledger.sinks) }),
    troubles: [...source.troubles],
    checkpoint: { path, ...(savedAt && { savedAt: savedAt.toISOString() }), ...(trouble !== undefined && { trouble }) },
  };
}

function viewFile(account: Account): LedgerView['files'][number] {
  const { path, identity, size, rotated, acknowledged, cursors } = account;
  const sinks = [...cursors].map(([sink, cursor]) => [
    sink,
    { acknowledged: cursor.acknowledged.offset, ...countsOf(cursor) },
  ]);
  const read = furthest(cursors).offset;
  const lag = Math.max(0, size - acknowledged);
  return { path, ...identity, size, rotated, read, acknowledged, lag, sinks: Object.fromEntries(sinks) };
}

type Counts = Pick<SpoolAccount, 'read' | 'delivered' | 'buffered' | 'dead' | 'dropped' | 'skipped'>;

const countsOf = ({ read, delivered, buffered, dead, dropped, skipped }: Cursor): Counts => ({
  ...{ delivered, buffered, dead, dropped, skipped },
  read: read.offset,
});

const queued = ({ queue }: Ledger, sink: string): Counts[] => [queue?.account(sink) ?? []].flat();

function accountOf(all: readonly Counts[]): Counts {
  const sum = (of: (counts: Counts) => number) => all.reduce((total, counts) => total + of(counts), 0);
  const reasons = dropReasons.filter((reason) => all.some(({ dropped }) => dropped[reason]));
  return {
    read: sum(({ read }) => read),
    delivered: sum(({ delivered }) => delivered),
    buffered: sum(({ buffered }) => buffered),
    dead: sum(({ dead }) => dead),
    dropped: Object.fromEntries(reasons.map((reason) => [reason, sum(({ dropped }) => dropped[reason] ?? 0)])),
    skipped: sum(({ skipped }) => skipped),
  };
}

function viewQueue(queue: Spool, sinks: readonly string[]) {
  const accounts = sinks.flatMap((sink) => {
    const account = queue.account(sink);
    return account ? [[sink, { ...accountOf([account]), total: account.total, unread: account.unread }]] : [];
  });
  const { bytes, trouble } = queue;
  return { bytes, ...(trouble !== undefined && { trouble }), sinks: Object.fromEntries(accounts) };
}

function viewSink({ name, state, trouble, deliveredAt, inFlight }: Delivery) {
  return {
    name,
    state,
    ...(trouble && { reason: trouble.reason, since: trouble.since.toISOString() }),
    ...(deliveredAt && { deliveredAt: deliveredAt.toISOString() }),
    inFlight: { records: inFlight?.records ?? 0, bytes: inFlight?.bytes.length ?? 0 },
  };
}

/** In one line per sink, for GET /v1/status. */
export const status = ({ ledger, source, deliveries }: Shipper): object => ({
  files: [...ledger.accounts].length,
  sinks: Object.fromEntries(
    deliveries.map(({ name, state, trouble }) => [name, { state, lag: ledger.lag(name), reason: trouble?.reason }]),
  ),
  troubles: source.troubles.length,
});
