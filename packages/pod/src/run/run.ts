// The life of a run on one page: check, claim, lay out, start, serve, stop, leave nothing.

import { randomUUID } from 'node:crypto';
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
};

/** 0 stopped as asked or completed, 1 failed, 64 wrong manifest or usage. */
export async function run({ file, env, log: format }: RunOptions): Promise<number> {
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
  const log = openLog(admitted, format);
  const home = homeOf(file);
  // Awaited here, or what is claimed above would be let go at once.
  return await live(admitted, { stops, identity, volumes, overrides, home, programEnv: shareCompileCache(), log });
}

type Prepared = Pick<PodContext, 'identity' | 'volumes' | 'overrides' | 'home' | 'programEnv' | 'log'> & {
  readonly stops: StopRequests;
};

/** From the first start to the last exit. */
async function live(admitted: Admitted, { stops, ...prepared }: Prepared): Promise<number> {
  const { manifest } = admitted;
  const { log } = prepared;
  const stopping = new AbortController();
  const hurry = new AbortController();
  const context: PodContext = {
    ...prepared,
    pod: manifest.pod,
    objects: manifest,
    stopping: stopping.signal,
    hurry: hurry.signal,
    grace: (manifest.pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000,
  };
  const running = new RunningPod(context);
  void running.ready.then(() => announce(admitted, context));
  const following = follow(manifest, context);

  const outcome = await Promise.race([running.run(), aborted(stops.asked)]);
  log.say(outcome ? `${outcome.text}; stopping` : 'Stopping; once more kills at once');
  stopping.abort();
  stops.insisted.addEventListener('abort', () => {
    log.say('Killing everything');
    hurry.abort();
    killAll();
  });
  await running.end(() => hurry.abort());
  await following;
  log.say(outcome?.text ?? 'Stopped');
  return stops.insisted.aborted ? 1 : (outcome?.code ?? 0);
}

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

function openLog({ manifest }: Admitted, format: RunOptions['log']): MergedLog {
  const terminal = process.stdout.isTTY === true;
  return new MergedLog({
    write: (text) => void process.stdout.write(text),
    names: containersOf(manifest.pod).map(({ name }) => name),
    colours: wantsColours(terminal, process.env),
    pretty: format ? format === 'pretty' : terminal,
  });
}
