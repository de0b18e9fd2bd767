// Numbered lines are written, rotated and shipped while everything fails that can; then it is judged whether all of them are
// there, in order, and whether the shipper's ledger is true. One seed decides what is written and what fails when.

import { setTimeout as wait } from 'node:timers/promises';
import { auditEnd } from './audit.ts';
import { Faults } from './faults.ts';
import { World, type WorldOptions } from './world.ts';

export type OracleOptions = Omit<WorldOptions, 'seed'> & { readonly seconds: number };

/** A failure of it is repeated by the seed, as far as two processors run things in the same order. */
const seedOf = (): number => Number(process.env.OUTRIGGER_SEED ?? Date.now() % 2 ** 31);

export type Verdict = {
  readonly wrongs: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
};

export async function consult({ seconds, ...options }: OracleOptions): Promise<Verdict> {
  const seed = seedOf();
  process.stdout.write(`OUTRIGGER_SEED=${seed} ORACLE_SECONDS=${seconds}\n`);
  await using world = await World.make({ ...options, seed });
  process.stdout.write(`log-shipper ${world.args.join(' ')}\n`);
  if (typeof world.volume === 'string') process.stdout.write(`The state volume is never full: ${world.volume}\n`);
  const faults = new Faults(world, seconds);
  // Whatever hangs is to say what it was doing.
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(stateOf(world, faults))), seconds * 1000 + patience);
  try {
    return await Promise.race([judge(world, faults, seconds), late.promise]);
  } catch (error) {
    // What ends it early may come of what was seen to be wrong before.
    for (const wrong of wrongsOf(world)) process.stdout.write(`WRONG: ${wrong}\n`);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Milliseconds for all that comes after the faults. */
export const patience = 180_000;

const stateOf = ({ shipper }: World, { lately }: Faults): string =>
  [
    `It does not come to its end; lately: ${[...lately.values()].join(', ')}`,
    `run ${shipper.run}${shipper.alive ? `, ${shipper.doing}` : ' has ended'}: ${shipper.stderr.slice(-2000)}`,
  ].join('\n');

async function judge(world: World, faults: Faults, seconds: number): Promise<Verdict> {
  await wait(seconds * 1000, undefined, { signal: faults.ended }).catch((error: Error) => {
    if (error.name !== 'AbortError') throw error;
  });
  await faults.end();
  await world.producer.pause();
  // Sinks are tried again after at most 30 s; who cannot wait for that starts anew.
  if (seconds < 100) {
    await world.endShipper('SIGTERM');
    world.startShipper();
  }
  for (const judge of world.judges) await world.untilDelivered(judge, 45_000).catch(noteOf(world));
  world.wrongs.push(...(await auditEnd(world)));
  await world.endShipper('SIGTERM');
  if (world.ends.at(-1) !== '0') world.wrongs.push(`ended with ${world.ends.at(-1)} though all was delivered`);
  world.look();
  return verdictOf(world, faults);
}

const noteOf = (world: World) => (error: Error) => {
  world.wrongs.push(error.message);
};

const wrongsOf = ({ judges, wrongs }: World): string[] => [
  ...wrongs,
  ...judges.flatMap((judge) => [...judge.wrongs, ...judge.missing()]),
  ...judges.flatMap(({ name, overtaken }) => overtaken.map(({ what }) => `${name} has ${what}`)),
];

function verdictOf(world: World, faults: Faults): Verdict {
  const { judges } = world;
  for (const judge of judges) judge.checkStrays();
  const all = wrongsOf(world);
  const written = world.truth.logs.reduce((total, { complete }) => total + complete, 0);
  const bytes = world.truth.logs.reduce((total, { size }) => total + size, 0);
  const say = (what: string) => process.stdout.write(`${what}\n`);
  say(
    `${written} records, ${bytes} bytes, ${world.truth.contents.size} files, ${world.ends.length} shippers (${tally(world.ends)})`,
  );
  for (const { name, records, duplicates } of judges) {
    const { resent, restarted, most, copied } = duplicates;
    say(
      `${name}: ${records} arrived; again: ${resent} by resends of a batch, ${restarted} after restarts, at most ${most} after one, ${copied} of copies`,
    );
  }
  say([...faults.counts].map(([what, count]) => `${what} ${count}`).join(', '));
  const overtaken = judges.flatMap((judge) => judge.overtaken);
  const said = overtaken.flatMap(({ path, runs }) => runs.map((run) => `run ${run}:\n${world.saidOf(path, run)}`));
  for (const each of new Set(said)) say(each);
  for (const wrong of all) say(`WRONG: ${wrong}`);
  return { wrongs: all, counts: Object.fromEntries(faults.counts) };
}

function tally(words: readonly string[]): string {
  const counts = Map.groupBy(words, (word) => word);
  return [...counts].map(([word, { length }]) => `${length} x ${word}`).join(', ');
}
