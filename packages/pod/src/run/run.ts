// The life of a run on one page: check, claim, lay out, start, serve, stop, leave nothing.

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { reasonOf } from '@outrigger/core';
import { shareCompileCache } from '../compile-cache.ts';
import { containersOf } from '../manifest/containers.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { type Admitted, admit, readManifest } from './admit.ts';
import { announce } from './announce.ts';
import { homeOf } from './container/prepare.ts';
import type { PodContext } from './context.ts';
import { openRunDirectory, type RunDirectory } from './directory.ts';
import { followFile } from './follow-file.ts';
import { MergedLog } from './log/merged-log.ts';
import { wantsColours } from './log/paint.ts';
import { parseOverrides } from './overrides.ts';
import { busyPorts } from './ports.ts';
import { killAll } from './process/launch.ts';
import { killStrays } from './process/strays.ts';
import { announceEnd, Rehearsal, type RehearsalOptions } from './rehearsal/rehearsal.ts';
import { TimeLine } from './rehearsal/time-line.ts';
import { followObjects } from './renew.ts';
import { RunningPod } from './running-pod.ts';
import { StopRequests } from './stop-requests.ts';
import { Volumes } from './volume/volumes.ts';

export type RunOptions = {
  readonly file: string;
  /** As written behind --env. */
  readonly env: readonly string[];
  /** How JSON lines of sidecars are shown; by default as text to a terminal only. */
  readonly log: 'pretty' | 'raw' | undefined;
  /** In milliseconds; by default the manifest's. */
  readonly grace?: number | undefined;
  /** Its end is brought about, and reported on stdout; the log goes to stderr. */
  readonly rehearsal?: RehearsalOptions | undefined;
};

/** 0 stopped as asked or completed, 1 failed, 64 wrong manifest or usage. */
export async function run({ file, env, log: format, grace, rehearsal }: RunOptions): Promise<number> {
  const stops = new StopRequests();
  const { overrides, problems } = parseOverrides(env);
  if (problems.length > 0) return refuse(64, problems);
  const text = readManifest(file);
  if (typeof text !== 'string') return refuse(64, text.refused);
  const admitted = await admit(file, text, overrides);
  if ('refused' in admitted) return refuse(64, admitted.refused);
  const busy = await busyPorts(admitted.ports);
  if (busy.length > 0) return refuse(1, busy);
  if (stops.asked.aborted) return 0;

  const identity = { uid: randomUUID() };
  using directory = await openRunDirectory(admitted.manifest.name, identity.uid);
  using _ = lastResort(directory, identity.uid);
  const volumes = new Volumes(directory.path, identity);
  await volumes.lay(admitted.manifest);
  const log = openLog(admitted, { format, stream: rehearsal ? process.stderr : process.stdout });
  const home = homeOf(file);
  // Awaited here, or what is claimed above would be let go at once.
  return await live(admitted, {
    ...{ stops, identity, volumes, overrides, home, log, rehearsal },
    programEnv: shareCompileCache(),
    directory: directory.path,
    grace: grace ?? (admitted.manifest.pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000,
  });
}

type Prepared = Pick<PodContext, 'identity' | 'volumes' | 'overrides' | 'home' | 'programEnv' | 'log' | 'grace'> &
  Pick<RunOptions, 'rehearsal'> & {
    readonly stops: StopRequests;
    readonly directory: string;
  };

/** From the first start to the last exit. */
async function live(
  admitted: Admitted,
  { stops, directory, rehearsal: wanted, ...prepared }: Prepared,
): Promise<number> {
  const { manifest } = admitted;
  const { log } = prepared;
  const stopping = new AbortController();
  const hurry = new AbortController();
  const timeLine = new TimeLine();
  const context: PodContext = {
    ...prepared,
    pod: manifest.pod,
    objects: manifest,
    stopping: stopping.signal,
    hurry: hurry.signal,
    lastWords: join(directory, 'last-words'),
    note: timeLine.note,
  };
  const running = new RunningPod(context);
  const rehearsal = wanted && new Rehearsal(admitted, wanted, { context, timeLine, directory });
  void running.ready.then(() => announce(admitted, context, wanted ? announceEnd(wanted) : 'Ctrl-C stops it'));
  const following = follow(manifest, context);

  const outcome = await Promise.race([running.run(), aborted(stops.asked), ...due(rehearsal, running)]);
  // Whose end was brought about here, not asked for, is killed by the first Ctrl-C.
  const insisted = rehearsal && !stops.asked.aborted ? stops.asked : stops.insisted;
  log.say(
    outcome ? `${outcome.text}; stopping` : `Stopping; ${stops.asked.aborted ? 'once more' : 'Ctrl-C'} kills at once`,
  );
  await rehearsal?.begin();
  stopping.abort();
  void aborted(insisted).then(() => {
    log.say('Killing everything');
    hurry.abort();
    killAll();
  });
  await running.end({ hurry: () => hurry.abort(), aboutToSignal: rehearsal?.aboutToSignal });
  await following;
  log.say(outcome?.text ?? 'Stopped');
  const orderly = (await rehearsal?.tell(outcome)) ?? true;
  return insisted.aborted || !orderly ? 1 : (outcome?.code ?? 0);
}

const due = (rehearsal: Rehearsal | undefined, { ready }: RunningPod) => (rehearsal ? [rehearsal.due(ready)] : []);

const follow = (manifest: Manifest, context: PodContext) =>
  followFile(manifest.source.file, manifest.source.text, {
    signal: context.stopping,
    changed: (text) => followObjects(text, manifest, context),
    complained: (fault) => context.log.say(`The manifest cannot be followed: ${reasonOf(fault)}`),
  });

function refuse(code: number, lines: readonly string[]): number {
  process.stderr.write(`${lines.join('\n')}\n`);
  return code;
}

const aborted = (signal: AbortSignal) =>
  new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });

/** However this process ends, short of SIGKILL, nothing is left behind. */
function lastResort(directory: RunDirectory, podId: string): Disposable {
  const clear = () => {
    killAll();
    killStrays(podId);
    directory[Symbol.dispose]();
  };
  process.on('exit', clear);
  return {
    [Symbol.dispose]: () => {
      clear();
      process.off('exit', clear);
    },
  };
}

type Output = { readonly format: RunOptions['log']; readonly stream: NodeJS.WriteStream };

function openLog({ manifest }: Admitted, { format, stream }: Output): MergedLog {
  const terminal = stream.isTTY === true;
  return new MergedLog({
    write: (text) => void stream.write(text),
    names: containersOf(manifest.pod).map(({ name }) => name),
    colours: wantsColours(terminal, process.env),
    pretty: format ? format === 'pretty' : terminal,
  });
}
