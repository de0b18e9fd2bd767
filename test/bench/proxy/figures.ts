// What is measured, and how rounds become one figure: medians, because whatever else the machine does meets some rounds.

import { median } from '../measure.ts';

/** In the order of a table's columns. */
export const columns = {
  rate: { head: 'requests/s', digits: 0 },
  mebibytes: { head: 'MiB/s', digits: 0 },
  cpu: { head: 'CPU per request, µs', digits: 1 },
  cpuPerMebibyte: { head: 'CPU per MiB, ms', digits: 2 },
  used: { head: 'of its core, %', digits: 0 },
  p50: { head: 'p50, ms', digits: 2 },
  p99: { head: 'p99, ms', digits: 2 },
  added50: { head: 'added p50, ms', digits: 2 },
  added99: { head: 'added p99, ms', digits: 2 },
  opened: { head: 'connections to the application per 1,000 requests', digits: 1 },
  idle: { head: 'private memory before, MB', digits: 1 },
  memory: { head: 'private memory, MB', digits: 1 },
  perConnection: { head: 'per connection, KB', digits: 1 },
} as const;

export type Key = keyof typeof columns;
export type Figures = Readonly<Partial<Record<Key, number>>>;

/** Of each subject one per round; none of a subject that cannot do it. */
export type Rounds = ReadonlyMap<string, readonly Figures[]>;

const isNumber = (value: number | undefined): value is number => value !== undefined;

/** Undefined when it was not measured. */
export function figureOf(rounds: Rounds, name: string, key: Key): number | undefined {
  const values = (rounds.get(name) ?? []).map((figures) => figures[key]).filter(isNumber);
  return values.length > 0 ? median(values) : undefined;
}

/** Of one round at a time, so that what meets a whole round cancels out. */
export function ratioOf(rounds: Rounds, name: string, peer: string, key: Key): number | undefined {
  const others = rounds.get(peer) ?? [];
  const ratios = (rounds.get(name) ?? [])
    .map((figures, round) => quotient(figures[key], others[round]?.[key]))
    .filter(isNumber);
  return ratios.length > 0 ? median(ratios) : undefined;
}

const quotient = (figure: number | undefined, other: number | undefined) =>
  figure !== undefined && other ? figure / other : undefined;
