// The ledger as the API shows it.

import type { LedgerView } from './api.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Delivery } from './deliver.ts';
import { type Account, type Cursor, furthest, type Ledger } from './ledger.ts';
import { dropReasons } from './records.ts';
import type { Source } from './source/source.ts';
import type { Tap } from './tap.ts';

/** What the routes see. */
export type Shipper = {
  readonly ledger: Ledger;
  readonly source: Source;
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
      ...accountOf(ledger.cursors(delivery.name)),
    })),
    troubles: [...source.troubles],
    checkpoint: { path, ...(savedAt && { savedAt: savedAt.toISOString() }), ...(trouble !== undefined && { trouble }) },
  };
}

function viewFile(account: Account): LedgerView['files'][number] {
  const { path, identity, size, rotated, acknowledged, cursors } = account;
  const sinks = [...cursors].map(([sink, cursor]) => [
    sink,
    { acknowledged: cursor.acknowledged.offset, ...accountOf([cursor]) },
  ]);
  const read = furthest(cursors).offset;
  const lag = Math.max(0, size - acknowledged);
  return { path, ...identity, size, rotated, read, acknowledged, lag, sinks: Object.fromEntries(sinks) };
}

function accountOf(cursors: readonly Cursor[]) {
  const sum = (of: (cursor: Cursor) => number) => cursors.reduce((total, cursor) => total + of(cursor), 0);
  const reasons = dropReasons.filter((reason) => cursors.some(({ dropped }) => dropped[reason]));
  return {
    read: sum(({ read }) => read.offset),
    delivered: sum(({ delivered }) => delivered),
    buffered: sum(({ buffered }) => buffered),
    dead: sum(({ dead }) => dead),
    dropped: Object.fromEntries(reasons.map((reason) => [reason, sum(({ dropped }) => dropped[reason] ?? 0)])),
    skipped: sum(({ skipped }) => skipped),
  };
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
