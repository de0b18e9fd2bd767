// Which entries Loki has not stored, by the words of its answer. It names at most ten of a kind, but also the bound that
// they are beyond.

import type { Entry } from './loki-entries.ts';
import type { Death } from './sink.ts';

const second = 1_000_000_000n;
const time = '(\\d{4}-\\d\\d-\\d\\dT[\\d:]+(?:\\.\\d+)?(?:Z|[+-]\\d\\d:\\d\\d))';

type Rule = {
  readonly says: RegExp;
  readonly refuses: (found: readonly string[]) => (entry: Entry) => boolean;
};

const rules: readonly Rule[] = [
  {
    // The ingesters name times to the nanosecond, as Go prints them.
    says: /entry with timestamp (\d{4}-\d\d-\d\d) ([\d:]+)(?:\.(\d{1,9}))? \+0000 UTC ignored, reason: '([^']*)/g,
    refuses: ([day, clock, fraction = '']) => {
      const nanoseconds = BigInt(Date.parse(`${day}T${clock}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
      return (entry) => entry.nanoseconds === nanoseconds;
    },
  },
  {
    says: new RegExp(`oldest acceptable timestamp is: ${time}`, 'g'),
    // Printed without what is below a second: what lies within that second is refused only if it is named.
    refuses:
      ([oldest]) =>
      (entry) =>
        entry.nanoseconds < nanosecondsOf(oldest!),
  },
  {
    says: new RegExp(`timestamp too old: ${time}`, 'g'),
    refuses:
      ([named]) =>
      (entry) =>
        entry.nanoseconds / second === nanosecondsOf(named!) / second,
  },
  {
    says: new RegExp(`timestamp too new: ${time}`, 'g'),
    refuses:
      ([named]) =>
      (entry) =>
        entry.nanoseconds >= nanosecondsOf(named!),
  },
  {
    says: /Max entry size '(\d+)' bytes exceeded/g,
    refuses:
      ([limit]) =>
      (entry) =>
        entry.bytes > Number(limit),
  },
];

const nanosecondsOf = (written: string): bigint => BigInt(Date.parse(written)) * 1_000_000n;

export function refusedEntries(said: string, entries: readonly Entry[]): Death[] {
  const dead = new Map<number, string>();
  for (const { says, refuses } of rules)
    for (const [reason, ...found] of said.matchAll(says)) {
      const isRefused = refuses(found);
      for (const [index, entry] of entries.entries())
        if (!dead.has(index) && isRefused(entry)) dead.set(index, `status 400: ${reason}`);
    }
  return [...dead].sort(([a], [b]) => a - b).map(([index, reason]) => ({ index, reason }));
}
