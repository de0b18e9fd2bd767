// The end of a Pod as a cluster would bring it about, watched: `run --terminate`.

import { readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { formatDuration, pause } from '@outrigger/core';
import { type ContainerEntry, containersOf } from '../../manifest/containers.ts';
import type { Admitted } from '../admit.ts';
import type { PodContext } from '../context.ts';
import type { Exit } from '../process/launch.ts';
import type { Outcome } from '../running-pod.ts';
import { Load, tabulate } from './load.ts';
import { containerEnd, moments, type Report } from './report.ts';
import { reportText } from './text.ts';
import type { Noted, TimeLine } from './time-line.ts';
import { witnesses } from './witness/index.ts';
import { type Loss, type Place, Questioning } from './witness/witness.ts';
import { worstCase } from './worst-case.ts';

export type RehearsalOptions = {
  /** Milliseconds from ready to the beginning of the end. */
  readonly after: number;
  /** Asked again and again from ready to the end. */
  readonly traffic: string | undefined;
  /** How the report is printed. */
  readonly json: boolean;
};

type Surroundings = {
  readonly context: PodContext;
  readonly timeLine: TimeLine;
  /** What lies there goes with the Pod. */
  readonly directory: string;
};

// What a sidecar says right before it is told to end; it may well be unable to say anything.
const patienceMilliseconds = 500;

export class Rehearsal {
  readonly #admitted: Admitted;
  readonly #options: RehearsalOptions;
  readonly #around: Surroundings;
  readonly #containers: readonly ContainerEntry[];
  readonly #questionings: readonly Questioning[];
  readonly #load: Load | undefined;
  readonly #over = new AbortController();
  #following: Promise<unknown> | undefined;
  #ready = false;

  constructor(admitted: Admitted, options: RehearsalOptions, around: Surroundings) {
    this.#admitted = admitted;
    this.#options = options;
    this.#around = around;
    this.#containers = containersOf(admitted.manifest.pod);
    this.#questionings = this.#containers.flatMap((entry) => this.#questioning(entry) ?? []);
    this.#load = options.traffic === undefined ? undefined : new Load(options.traffic);
  }

  #questioning(entry: ContainerEntry): Questioning | undefined {
    const witness = entry.role && witnesses[entry.role];
    const address = this.#admitted.parameters.get(entry.name)?.values.adminAddress;
    return witness && address && new Questioning(entry, `http://127.0.0.1:${address.port}`, witness);
  }

  /** Resolves when the end is to begin. */
  async due(ready: Promise<void>): Promise<undefined> {
    await ready;
    this.#ready = true;
    await this.#load?.start();
    await pause(this.#options.after, this.#around.context.stopping);
    return undefined;
  }

  /** To be called right before the end. */
  async begin(): Promise<void> {
    // What is held before, so that only what changes counts.
    await Promise.all(this.#questionings.map((each) => this.#look(each)));
    this.#around.timeLine.begin();
    this.#following = Promise.all(this.#questionings.map((each) => each.follow(this.#over.signal)));
  }

  readonly aboutToSignal = async ({ name }: ContainerEntry): Promise<void> => {
    const questioning = this.#questionings.find(({ entry }) => entry.name === name);
    if (questioning) await this.#look(questioning);
  };

  async #look(questioning: Questioning): Promise<void> {
    const late = new AbortController();
    await Promise.race([questioning.lookAgain(), pause(patienceMilliseconds, late.signal)]);
    late.abort();
  }

  /** Prints the report. To be called when all are gone, and the volumes are not yet. Returns whether all was in order. */
  async tell(outcome: Outcome | undefined): Promise<boolean> {
    const report = await this.#report(outcome);
    process.stdout.write(this.#options.json ? `${JSON.stringify(report, null, 2)}\n` : reportText(report));
    return report.orderly;
  }

  async #report(outcome: Outcome | undefined): Promise<Report> {
    this.#over.abort();
    await this.#following;
    const { context, timeLine } = this.#around;
    const { events } = timeLine;
    const requests = await this.#load?.stop();
    const { told, gone } = this.#appsIn(events);
    const { begun } = timeLine;
    const phases = requests && tabulate(requests, { begun, told: begun + told, gone: begun + gone });
    const ends = await Promise.all(this.#containers.map((entry) => this.#endOf(entry, { events, outcome })));
    const { losses, unknown } = await this.#losses(events);
    const dropped = phases?.reduce((sum, { lost }) => sum + lost, 0) ?? 0;
    const lost = dropped === 0 ? losses : [...losses, requestsLost(dropped)];
    const troubles = [
      ...(this.#ready ? unknown : ['The Pod was not ready when the end began']),
      ...(outcome?.code === 1 ? [outcome.text] : []),
      ...ends.flatMap(({ trouble }) => trouble ?? []),
    ];
    return {
      pod: this.#admitted.manifest.name,
      gracePeriod: context.grace / 1000,
      took: Math.round(events.at(-1)?.at ?? 0) / 1000,
      orderly: troubles.length === 0 && lost.length === 0,
      timeLine: moments(events),
      containers: ends,
      troubles,
      lost,
      ...(phases && { traffic: { url: this.#options.traffic!, phases } }),
      warnings: worstCase({ ...this.#admitted, containers: this.#containers, grace: context.grace }),
    };
  }

  async #endOf(entry: ContainerEntry, { events, outcome }: { events: readonly Noted[]; outcome: Outcome | undefined }) {
    const { context } = this.#around;
    return containerEnd({
      entry,
      events: events.filter(({ container }) => container === entry.name),
      lastWords: await readFile(join(context.lastWords, entry.name), 'utf8').then((text) => text.trim(), neverStarted),
      excused: !this.#ready || (entry.kind === 'app' && (outcome !== undefined || this.#hasCompleted(entry))),
      grace: context.grace,
      appsGone: this.#appsIn(events).gone,
    });
  }

  #hasCompleted({ name }: ContainerEntry): boolean {
    const { context, timeLine } = this.#around;
    const { restartPolicy = 'Always' } = context.pod.spec ?? {};
    return restartPolicy !== 'Always' && timeLine.exitBefore(name)?.code === 0;
  }

  async #losses(events: readonly Noted[]): Promise<{ losses: Loss[]; unknown: string[] }> {
    const asked = await Promise.all(
      this.#questionings.map((each) => each.lost(exitOf(each.entry, events), this.#placeOf(each.entry))),
    );
    return { losses: asked.flatMap(({ losses }) => losses), unknown: asked.flatMap(({ unknown }) => unknown ?? []) };
  }

  #placeOf({ container }: ContainerEntry): Place {
    const { context, directory } = this.#around;
    const mounts = context.volumes.locate(container, {});
    return {
      goes: (path) => path.startsWith(`${directory}${sep}`),
      inside: (path) => {
        const mount = mounts.find(({ target }) => path === target || path.startsWith(`${target}${sep}`));
        return mount ? mount.mountPath + path.slice(mount.target.length) : path;
      },
    };
  }

  /** When the first application was told to end and the last was gone, in milliseconds since the end began. */
  #appsIn(events: readonly Noted[]): { told: number; gone: number } {
    const apps = this.#containers.filter(({ kind }) => kind === 'app').map(({ name }) => name);
    const ofApps = events.filter(({ container }) => apps.includes(container));
    const told = ofApps.find(({ event }) => event.what === 'signal' || event.what === 'exit')?.at ?? 0;
    return { told, gone: ofApps.findLast(({ event }) => event.what === 'exit')?.at ?? told };
  }
}

const exitOf = ({ name }: ContainerEntry, events: readonly Noted[]): Exit | undefined =>
  events.flatMap(({ container, event }) => (container === name && event.what === 'exit' ? [event.exit] : []))[0];

const requestsLost = (count: number): Loss => ({
  container: '--traffic',
  unit: 'requests',
  count,
  text: 'accepted and then broken, or turned away while the application still worked',
});

function neverStarted(error: NodeJS.ErrnoException): string {
  if (error.code !== 'ENOENT') throw error;
  return '';
}

/** What is said when the Pod is ready. */
export const announceEnd = ({ after }: RehearsalOptions): string =>
  `it is ended in ${formatDuration(after)}, Ctrl-C ends it now`;
