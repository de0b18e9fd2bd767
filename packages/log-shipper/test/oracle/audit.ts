// Whether the shipper's own account of itself is true: it adds up to the byte, and what it says is acknowledged is there.

import { setTimeout as wait } from 'node:timers/promises';
import { until } from '@outrigger/core/testing';
import type { LedgerView } from '../../src/api.ts';
import type { World } from './world.ts';

type Progress = LedgerView['files'][number]['sinks'][string];

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** read = delivered + buffered + dead + dropped + skipped, whatever is going on. */
export function auditSums({ files, sinks }: LedgerView): string[] {
  const wrongs: string[] = [];
  const check = (what: string, each: Omit<Progress, 'acknowledged'>) => {
    const { read, delivered, buffered, dead, dropped, skipped } = each;
    const parts = [delivered, buffered, dead, ...Object.values(dropped), skipped];
    if (read !== sum(parts) || parts.some((part) => part < 0)) wrongs.push(`${what}: ${JSON.stringify(each)}`);
    // Here nobody refuses or drops anything, and there are no holes.
    if (dead > 0 || skipped > 0 || Object.keys(dropped).length > 0) wrongs.push(`${what}: ${JSON.stringify(each)}`);
  };
  for (const { path, inode, sinks } of files)
    for (const [sink, each] of Object.entries(sinks)) {
      check(`${sink} of ${path} (${inode})`, each);
      if (each.acknowledged !== each.delivered || each.acknowledged + each.buffered !== each.read)
        wrongs.push(`${sink} of ${path} (${inode}): ${JSON.stringify(each)}`);
    }
  for (const { name, ...each } of sinks) {
    check(name, each);
    const read = sum(files.map(({ sinks }) => sinks[name]!.read));
    if (read !== each.read) wrongs.push(`${name} has read ${each.read}, of files ${read}`);
  }
  return wrongs;
}

/** To be called while nobody writes: compares files with what was written, and acknowledgements with what has arrived. */
export async function audit(world: World): Promise<string[]> {
  world.look();
  const { truth, shipper } = world;
  let ledger = await shipper.ledger();
  const strange = () =>
    ledger.files.filter(({ inode, size }) => {
      const content = truth.contents.get(inode);
      return !content || content.end - content.base !== size;
    });
  await until(
    async () => {
      ledger = await shipper.ledger();
      return strange().length === 0;
    },
    { deadline: 15_000, what: () => `the sizes of files: ${JSON.stringify(strange())}` },
  );
  // What a sink has taken may still be on its way through the kernel.
  const wrongs = () => ledger.files.flatMap((file) => auditFile(world, file));
  const end = performance.now() + 10_000;
  while (wrongs().length > 0 && performance.now() < end) {
    await wait(50);
    world.look();
  }
  return [...auditSums(ledger), ...wrongs()];
}

function auditFile({ truth, judges }: World, file: LedgerView['files'][number]): string[] {
  const { log, base, first } = truth.contents.get(file.inode)!;
  return judges.flatMap((judge) => {
    const { read, acknowledged } = file.sinks[judge.name]!;
    const wrongs: string[] = [];
    const said = `${judge.name} of ${file.path} (${file.inode}, ${file.size} bytes)`;
    if (acknowledged > read || read > file.size) wrongs.push(`${said} has read ${read}, acknowledged ${acknowledged}`);
    const reached = judge.reachedFrom(log.file, first) - base;
    if (lastEnd(log.ends, base + acknowledged) - base > Math.max(0, reached))
      wrongs.push(`${said} has acknowledged ${acknowledged} of which only ${reached} have arrived`);
    return wrongs;
  });
}

/** The greatest of ascending numbers that is not above a limit. */
function lastEnd(ends: readonly number[], limit: number): number {
  let [low, high] = [0, ends.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ends[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? 0 : ends[low - 1]!;
}

/** Everything is delivered, and the ledger says so. */
export async function auditEnd({ truth, shipper }: World): Promise<string[]> {
  let ledger = await shipper.ledger();
  await until(
    async () => {
      ledger = await shipper.ledger();
      return ledger.sinks.every(({ lag }) => lag === 0);
    },
    { deadline: 20_000, what: () => `all to be acknowledged: ${JSON.stringify(ledger.sinks)}` },
  );
  const wrongs = auditSums(ledger);
  for (const { path, inode, size, sinks } of ledger.files) {
    const content = truth.contents.get(inode)!;
    for (const [sink, { delivered }] of Object.entries(sinks))
      if (delivered !== size || content.end - content.base !== size)
        wrongs.push(
          `${sink} of ${path} (${inode}): ${delivered} of ${size} bytes, ${content.end - content.base} written`,
        );
  }
  return wrongs;
}
