// The ledger as the API shows it.

import type { LedgerView } from './api.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Delivery } from './deliver.ts';
import { type Account, furthest, type Ledger } from './ledger.ts';
import type { Source } from './source/source.ts';

/** What the routes see. */
export type Shipper = {
  readonly ledger: Ledger;
  readonly source: Source;
  readonly deliveries: readonly Delivery[];
  readonly checkpoint: Checkpoint;
};

export function view({ ledger, source, deliveries, checkpoint }: Shipper): LedgerView {
  const { path, savedAt, trouble } = checkpoint;
  return {
    files: [...ledger.accounts].map(viewFile),
    sinks: deliveries.map((delivery) => ({ ...viewSink(delivery), lag: ledger.lag(delivery.name) })),
    troubles: [...source.troubles],
    checkpoint: { path, ...(savedAt && { savedAt: savedAt.toISOString() }), ...(trouble !== undefined && { trouble }) },
  };
}

function viewFile(account: Account): LedgerView['files'][number] {
  const { path, identity, size, rotated, acknowledged, cursors } = account;
  const sinks = [...cursors].map(([sink, cursor]) => [
    sink,
    { read: cursor.read.offset, acknowledged: cursor.acknowledged.offset },
  ]);
  const read = furthest(cursors).offset;
  const lag = Math.max(0, size - acknowledged);
  return { path, ...identity, size, rotated, read, acknowledged, lag, sinks: Object.fromEntries(sinks) };
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
