// What goes wrong, and when: each lane does one thing after another, all lanes at once, each by a chance of its own.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { between, deck, oneOf, type Random, seeded } from '@outrigger/core/testing';
import { audit, auditSums } from './audit.ts';
import type { OracleSink } from './sink.ts';
import type { World } from './world.ts';

/** One thing after another. */
class Lane {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(doing: () => Promise<T>): Promise<T> {
    const next = this.#last.then(doing);
    this.#last = next.then(
      () => undefined,
      () => undefined,
    );
    return next;
  }
}

/** For whoever looks for the reason of a failure: lanes that are left out. */
const without = (process.env.ORACLE_WITHOUT ?? '').split(',');

export class Faults {
  readonly counts = new Map<string, number>();
  readonly #world: World;
  readonly #ending = new AbortController();
  readonly #shipper = new Lane();
  readonly #producer = new Lane();
  readonly #sinks: ReadonlyMap<OracleSink, Lane>;
  readonly #running: Promise<unknown>[];
  readonly #shipperTroubles: () => 'is killed' | 'is stopped' | 'is told to end';
  readonly #producerTroubles: () => 'is killed' | 'is stopped' | 'goes on';
  readonly #sinkTroubles: ReadonlyMap<OracleSink, () => string>;
  failed: Error | undefined;

  constructor(world: World, seconds: number) {
    this.#world = world;
    this.#sinks = new Map(world.sinks.map((sink) => [sink, new Lane()]));
    const { volume } = world;
    const chance = (lane: number) => seeded(world.seed, 200 + lane);
    this.#shipperTroubles = deck(chance(0), ['is killed', 'is stopped', 'is told to end', 'is killed']);
    this.#producerTroubles = deck(chance(1), ['is killed', 'is stopped', 'goes on']);
    this.#sinkTroubles = new Map(world.sinks.map((sink, index) => [sink, deck(chance(2 + index), sink.faults)]));
    const lanes: Readonly<Record<string, () => Promise<void>>> = {
      shipper: () => this.#again(1, (random) => this.#shipper.run(() => this.#troubleShipper(random))),
      producer: () => this.#again(2, (random) => this.#producer.run(() => this.#troubleProducer(random))),
      clock: () => this.#again(3, (random) => this.#jump(random)),
      load: () => this.#again(4, (random) => this.#load(random)),
      audit: () => this.#again(5, () => this.#audit()),
      volume: () => this.#again(6, (random) => this.#fill(volume, random)),
      outage: () => this.#attend(this.#outage(seeded(world.seed, 8), seconds)),
      look: () => this.#again(9, () => this.#look(), 200),
      ...Object.fromEntries(
        world.sinks.map((sink, index) => [
          sink.name,
          () => this.#again(10 + index, (random) => this.#troubleSink(sink, random)),
        ]),
      ),
    };
    this.#running = Object.entries(lanes).map(([name, run]) => (without.includes(name) ? Promise.resolve() : run()));
  }

  /** With pauses, until the end. */
  #again(lane: number, act: (random: Random) => Promise<void>, pause?: number): Promise<void> {
    const random = seeded(this.#world.seed, 100 + lane);
    return this.#attend(
      (async () => {
        while (!this.#ending.signal.aborted) {
          await this.#wait(pause ?? between(random, 100, lane === 1 ? 2500 : 3500));
          if (!this.#ending.signal.aborted) await act(random);
        }
      })(),
    );
  }

  async #attend(running: Promise<void>): Promise<void> {
    try {
      await running;
    } catch (error) {
      this.failed ??= error as Error;
      this.#ending.abort();
    }
  }

  async #wait(milliseconds: number): Promise<void> {
    await wait(milliseconds, undefined, { signal: this.#ending.signal }).catch((error: Error) => {
      if (error.name !== 'AbortError') throw error;
    });
  }

  /** What every lane has done last. */
  readonly lately = new Map<string, string>();

  #count(what: string): void {
    this.lately.set(what.split(' ')[0]!, what);
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  async #look(): Promise<void> {
    this.#world.look();
  }

  async #troubleShipper(random: Random): Promise<void> {
    const how = this.#shipperTroubles();
    this.#count(`shipper ${how}`);
    const world = this.#world;
    if (how === 'is stopped') return world.disturb(() => this.#stopped(world.shipper, between(random, 200, 4000)));
    // Now and then so soon that it has not even begun.
    await world.endShipper(how === 'is killed' ? 'SIGKILL' : 'SIGTERM');
    await this.#wait(oneOf(random, [0, 0, between(random, 0, 2500)]));
    world.startShipper();
  }

  async #stopped(process: { kill(signal: NodeJS.Signals): void }, milliseconds: number): Promise<void> {
    process.kill('SIGSTOP');
    await this.#wait(milliseconds);
    process.kill('SIGCONT');
  }

  async #troubleProducer(random: Random): Promise<void> {
    const how = this.#producerTroubles();
    this.#count(`producer ${how}`);
    const { producer } = this.#world;
    if (how === 'is stopped') await this.#stopped(producer, between(random, 100, 2000));
    if (how !== 'is killed') return;
    producer.kill('SIGKILL');
    await producer.end();
    await producer.start();
  }

  async #troubleSink(sink: OracleSink, random: Random): Promise<void> {
    const how = this.#sinkTroubles.get(sink)!();
    await this.#sinks.get(sink)!.run(() => this.#failing(sink, how, between(random, 200, 3000)));
  }

  #failing(sink: OracleSink, how: string, milliseconds: number): Promise<void> {
    this.#count(`${sink.name} ${how}`);
    return this.#world.disturb(async () => {
      await sink.fail(how);
      await this.#wait(milliseconds);
      await sink.heal();
    });
  }

  async #jump(random: Random): Promise<void> {
    this.#count('clock jumps');
    const day = 86_400_000;
    await this.#world.shiftClock(oneOf(random, [0, day, -day, 3_600_000, -3_600_000, 365 * day, -1500, 700]));
  }

  async #load(random: Random): Promise<void> {
    this.#count('load');
    const { execPath } = process;
    await this.#world.disturb(async () => {
      const busy = [1, 2].map(() => spawn(execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
      await this.#wait(between(random, 300, 2000));
      for (const each of busy) each.kill('SIGKILL');
      await Promise.all(busy.map((each) => each.exitCode ?? each.signalCode ?? once(each, 'exit')));
    });
  }

  async #fill(volume: World['volume'], random: Random): Promise<void> {
    if (typeof volume === 'string') return;
    this.#count('state volume full');
    await this.#world.disturb(async () => {
      await volume.fill();
      await this.#wait(between(random, 300, 4000));
      await volume.free();
    });
  }

  /** The sums hold at any time; sizes and arrivals can be compared while nobody writes. */
  #audit(): Promise<void> {
    const world = this.#world;
    return this.#shipper.run(async () => {
      if (!world.shipper.alive) return;
      this.#count('audit');
      world.wrongs.push(...auditSums(await world.shipper.ledger()));
      await this.#resting(async () => {
        world.wrongs.push(...(await audit(world)));
      });
    });
  }

  #resting(doing: () => Promise<void>): Promise<void> {
    const { producer } = this.#world;
    return this.#producer.run(async () => {
      await producer.pause();
      await doing();
      await producer.resume();
    });
  }

  /** One sink is down for a third of the time; at the end of it the others have had all that was written meanwhile. */
  async #outage(random: Random, seconds: number): Promise<void> {
    const world = this.#world;
    const down = oneOf(
      random,
      world.sinks.filter(({ faults }) => faults.includes('is killed')),
    );
    await this.#wait(seconds * 200);
    await this.#sinks.get(down)!.run(async () => {
      this.#count(`${down.name} is down for long`);
      await world.disturb(async () => {
        await down.fail('is killed');
        await this.#wait(seconds * 333);
        await this.#othersHaveAll(down);
        await down.heal();
      });
    });
  }

  /** Whoever else fails or kills has to wait meanwhile. */
  async #othersHaveAll(down: OracleSink): Promise<void> {
    const world = this.#world;
    const others = world.judges.filter(({ name }) => name !== down.name);
    const all = async () => {
      for (const judge of others) await world.untilDelivered(judge, 45_000);
    };
    const lanes = [...this.#sinks].filter(([sink]) => sink !== down).map(([, lane]) => lane);
    const held = lanes.reduce((inner, lane) => () => lane.run(inner), all);
    await this.#shipper.run(held);
  }

  /** Everybody has done what he was doing, and nothing fails any more. */
  async end(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#running);
    if (this.failed) throw this.failed;
  }

  get ended(): AbortSignal {
    return this.#ending.signal;
  }
}
