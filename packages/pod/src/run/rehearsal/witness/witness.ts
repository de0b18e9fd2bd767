// What one sidecar knows of what may be lost: asked for over and over until it is gone, judged when all are.

import { pause, reasonOf } from '@outrigger/core';
import { type Client, openClient } from '@outrigger/core/client';
import type { ContainerEntry } from '../../../manifest/containers.ts';
import type { Exit } from '../../process/launch.ts';

export type Loss = {
  readonly container: string;
  /** What is counted, in the plural: `bytes`, `requests`, ... */
  readonly unit: string;
  readonly count: number;
  /** For people, without the container's name. */
  readonly text: string;
};

/** As the sidecar answered when the end began, and as it answered last. */
export type Looks<T> = { readonly before: T; readonly last: T };

export type Place = {
  /** Whether what lies there goes with the Pod. */
  goes(path: string): boolean;
  /** The path as the container has it. */
  inside(path: string): string;
};

/** What a role knows. */
export type Witness<T> = {
  look(client: Client): Promise<T>;
  /** Called when the Pod is gone, and its volumes are not yet. */
  lost(
    looks: Looks<T>,
    ended: { readonly exit: Exit | undefined; readonly place: Place },
  ): Promise<Omit<Loss, 'container'>[]>;
};

export const defineWitness = <T>(witness: Witness<T>): Witness<T> => witness;

// The last answer is this old at most when a sidecar is killed.
const periodMilliseconds = 100;
const timeoutMilliseconds = 1_000;

export class Questioning<T = unknown> {
  readonly entry: ContainerEntry;
  readonly #witness: Witness<T>;
  readonly #client: Client;
  #before: T | undefined;
  #last: T | undefined;
  #fault: unknown;
  #asking: Promise<void> | undefined;

  constructor(entry: ContainerEntry, url: string, witness: Witness<T>) {
    this.entry = entry;
    this.#witness = witness;
    this.#client = openClient(url, { timeout: timeoutMilliseconds });
  }

  /** Asks once, or waits for the question that is under way. Never rejects. */
  look(): Promise<void> {
    this.#asking ??= this.#look().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** The same, but what is asked is not older than the call. */
  async lookAgain(): Promise<void> {
    await this.#asking;
    await this.look();
  }

  async #look(): Promise<void> {
    try {
      this.#last = await this.#witness.look(this.#client);
      this.#before ??= this.#last;
    } catch (error) {
      this.#fault = error;
    }
  }

  /** Goes on asking until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look();
      await pause(periodMilliseconds, signal);
    }
    this.#client.close();
  }

  /** What was lost, or why that is not known. */
  async lost(exit: Exit | undefined, place: Place): Promise<{ readonly losses: Loss[]; readonly unknown?: string }> {
    if (this.#before === undefined || this.#last === undefined)
      return {
        losses: [],
        unknown: `What ${this.entry.name} lost is not known, it could not be asked: ${reasonOf(this.#fault)}`,
      };
    try {
      const losses = await this.#witness.lost({ before: this.#before, last: this.#last }, { exit, place });
      return { losses: losses.map((loss) => ({ container: this.entry.name, ...loss })) };
    } catch (error) {
      return { losses: [], unknown: `What ${this.entry.name} lost is not known: ${reasonOf(error)}` };
    }
  }
}

/** The answer to a GET, as JSON. */
export async function getJson(client: Client, path: string): Promise<unknown> {
  return JSON.parse(await getText(client, path));
}

export async function getText(client: Client, path: string): Promise<string> {
  const { status, text } = await client.send({ method: 'GET', path });
  if (status !== 200) throw new Error(`GET ${path} was answered by ${status}`);
  return text;
}

/** Of a text of metrics: the values of one metric, by its labels as they are written. */
export function samplesOf(text: string, metric: string): ReadonlyMap<string, number> {
  const samples = text.matchAll(new RegExp(`^${metric}(?:\\{(.*)\\})? (\\S+)$`, 'gm'));
  return new Map(samples.map(([, labels = '', value]) => [labels, Number(value)]));
}

/** By how much a sum of samples has grown. */
export const growth = (before: ReadonlyMap<string, number>, last: ReadonlyMap<string, number>): number =>
  [...last].reduce((sum, [labels, value]) => sum + Math.max(0, value - (before.get(labels) ?? 0)), 0);
