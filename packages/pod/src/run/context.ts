// What the containers of one run share.

import type { Identity } from '../manifest/downward.ts';
import type { Objects, Pod } from '../manifest/manifest.ts';
import type { MergedLog } from './log/merged-log.ts';
import type { NoteEvent } from './rehearsal/time-line.ts';
import type { Volumes } from './volume/volumes.ts';

export type PodContext = {
  readonly pod: Pod;
  /** The newest ConfigMaps and Secrets: a container that starts again sees them in its environment. */
  objects: Objects;
  readonly identity: Identity;
  readonly volumes: Volumes;
  /** Of --env, by container. */
  readonly overrides: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Where the manifest lies. */
  readonly home: string;
  /** Variables for the toolkit's own programs. */
  readonly programEnv: Readonly<Record<string, string>>;
  readonly log: MergedLog;
  /** Where containers leave their last words: a file each. */
  readonly lastWords: string;
  /** What happens to a container as the Pod ends. */
  readonly note: NoteEvent;
  /** The Pod stops: nothing is started again. */
  readonly stopping: AbortSignal;
  /** There is no time left: hooks are given up. */
  readonly hurry: AbortSignal;
  /** How long a container may take to stop, in milliseconds. */
  readonly grace: number;
};
