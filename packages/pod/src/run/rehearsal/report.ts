// What the end was like, container by container: data, of which text.ts makes tables.

import type { ContainerEntry, ContainerKind } from '../../manifest/containers.ts';
import type { Exit } from '../process/launch.ts';
import type { PhaseRow } from './load.ts';
import type { Noted } from './time-line.ts';
import type { Loss } from './witness/witness.ts';
import type { Warning } from './worst-case.ts';

/** All times in seconds since the end began, all durations in seconds. */
export type Report = {
  readonly pod: string;
  readonly gracePeriod: number;
  /** From the beginning of the end to the last exit. */
  readonly took: number;
  /** Nothing was lost, and all containers ended as they should. */
  readonly orderly: boolean;
  readonly timeLine: readonly Moment[];
  readonly containers: readonly ContainerEnd[];
  /** What was not as it should be, a sentence each. */
  readonly troubles: readonly string[];
  readonly lost: readonly Loss[];
  readonly traffic?: { readonly url: string; readonly phases: readonly PhaseRow[] };
  readonly warnings: readonly Warning[];
};

export type Moment = {
  readonly at: number;
  readonly container: string;
  readonly event: string;
  /** What the event ends took so long: a preStop hook, or the way from the signal to the exit. */
  readonly took?: number;
};

export type ContainerEnd = {
  readonly name: string;
  readonly kind: ContainerKind;
  readonly preStop?: 'done' | 'failed' | 'cut short';
  /** When it was told to end. */
  readonly signalledAt?: number;
  /** It was told only when the grace period was over. */
  readonly lastChance: boolean;
  readonly killedAt?: number;
  readonly exit?: { readonly at: number; readonly code: number; readonly took?: number };
  /** What it left in its termination message file. */
  readonly lastWords?: string;
  readonly trouble?: string;
};

export type Ended = {
  readonly entry: ContainerEntry;
  /** Its own events. */
  readonly events: readonly Noted[];
  readonly lastWords: string;
  /** That it was not running when the end began is no trouble. */
  readonly excused: boolean;
  /** In milliseconds. */
  readonly grace: number;
  /** When the last application was gone. */
  readonly appsGone: number;
};

const seconds = (milliseconds: number) => Math.round(milliseconds) / 1000;
const spoken = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;

export function containerEnd(ended: Ended): ContainerEnd {
  const { entry, events, lastWords, grace } = ended;
  const signal = events.find(({ event }) => event.what === 'signal' && event.signal !== 'SIGKILL');
  const kill = events.find(({ event }) => event.what === 'signal' && event.signal === 'SIGKILL');
  const exit = exitIn(events);
  const preStop = events.map(({ event }) => /^preStop (done|failed|cut short)$/.exec(event.what)?.[1]).find(Boolean);
  const trouble = troubleOf(ended, { signal, kill, exit });
  return {
    name: entry.name,
    kind: entry.kind,
    ...(preStop !== undefined && { preStop: preStop as 'done' }),
    ...(signal && { signalledAt: seconds(signal.at) }),
    lastChance: signal !== undefined && signal.at >= grace,
    ...(kill && { killedAt: seconds(kill.at) }),
    ...(exit && {
      exit: { at: seconds(exit.at), code: exit.exit.code, ...(signal && { took: seconds(exit.at - signal.at) }) },
    }),
    ...(lastWords && { lastWords }),
    ...(trouble !== undefined && { trouble }),
  };
}

const exitIn = (events: readonly Noted[]): { readonly at: number; readonly exit: Exit } | undefined =>
  events.flatMap(({ at, event }) => (event.what === 'exit' ? [{ at, exit: event.exit }] : []))[0];

type Steps = {
  readonly signal: Noted | undefined;
  readonly kill: Noted | undefined;
  readonly exit: { readonly at: number; readonly exit: Exit } | undefined;
};

/** The first thing that went wrong with it: the rest follows from that. */
function troubleOf({ entry, events, lastWords, excused, grace, appsGone }: Ended, steps: Steps): string | undefined {
  const { signal, kill, exit } = steps;
  const { name, kind } = entry;
  if (!exit) return excused || kind === 'init' ? undefined : `${name} was not running when the end began`;
  const how = `${exit.exit.reason}${lastWords ? `: ${lastWords}` : ''}`;
  if (!signal && !kill && kind === 'sidecar' && exit.at < appsGone)
    return `${name} ended by itself before the applications had, and is not started again: ${how}`;
  const hook = events.find(({ event }) => event.what === 'preStop cut short' || event.what === 'preStop failed');
  const hung = hook?.event.what === 'preStop cut short' ? ', since its preStop hook did not end' : '';
  const chance =
    signal && signal.at >= grace ? `${name} was told to end only when the grace period was over${hung}` : undefined;
  if (exit.exit.signal === 'SIGKILL')
    return chance ? `${chance}, and was killed` : `${name} was killed: ${since(steps)}`;
  if (chance) return `${chance}: it took ${spoken(exit.at - signal!.at)} of the last 2 s, and ended with ${how}`;
  if (!endedAsTold(exit.exit, signal)) return `${name} ended with ${how}`;
  return hook?.event.what === 'preStop failed' ? `preStop of ${name} failed: ${hook.event.reason}` : undefined;
}

const since = ({ signal, exit }: Steps) =>
  signal ? `it had not ended ${spoken(exit!.at - signal.at)} after it was told to` : 'it was never told to end';

/** A runtime that handles the signal may return what a shell would report of it, as the JVM does. */
function endedAsTold({ code, signal: by }: Exit, signal: Noted | undefined): boolean {
  if (code === 0) return true;
  return by === undefined && signal?.event.what === 'signal' && signal.event.signal === 'SIGTERM' && code === 143;
}

/** The events as rows, with how long what they end has taken. */
export function moments(events: readonly Noted[]): Moment[] {
  const begun = new Map<string, number>();
  return events.map(({ at, container, event }) => {
    const hook = event.what.startsWith('preStop');
    const from = begun.get(`${container} ${hook ? 'preStop' : 'signal'}`);
    if (event.what === 'preStop begun') begun.set(`${container} preStop`, at);
    if (event.what === 'signal' && event.signal !== 'SIGKILL') begun.set(`${container} signal`, at);
    const took = from !== undefined && event.what !== 'signal' ? { took: seconds(at - from) } : {};
    return { at: seconds(at), container, event: wordsFor(event), ...took };
  });
}

function wordsFor(event: Noted['event']): string {
  if (event.what === 'signal') return event.signal;
  if (event.what === 'exit') return event.exit.reason;
  return event.what === 'preStop failed' ? `preStop failed: ${event.reason}` : event.what;
}
