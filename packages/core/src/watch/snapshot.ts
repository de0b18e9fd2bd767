// Reads what is watched into one hash for each path. Only content counts: not modes, not times, not which generation
// directory of the kubelet it lies in.

import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { Fault } from '../errors.ts';
import { errors } from './errors.ts';
import { isMissing } from './follow.ts';
import { type Breathe, openSlices } from './slices.ts';
import { type File, type Place, type Root, stampOf, statusIfReadable, survey } from './survey.ts';

type Digest = { readonly stamp: string; readonly digest: string; readonly takenAt: number };
type Digests = Map<string, Digest>;

/** The hash is undefined while nothing is at the path or it cannot be read. */
export type HashedRoot = Root & { readonly hash: string | undefined };

export type Snapshot = {
  readonly roots: readonly HashedRoot[];
  /** What each file held, so that the next snapshot reads only those that may have changed. */
  readonly digests: ReadonlyMap<string, Digest>;
};

export type Reading = {
  readonly paths: readonly string[];
  /** Told where to listen before anything is read. Returns whether that is anywhere new. */
  readonly listen: (places: ReadonlyMap<string, Place>) => boolean;
  /** Leave out to read every file, also those that look unchanged. */
  readonly previous?: Snapshot | undefined;
};

const mostAttempts = 8;

/**
 * A state that existed as a whole: no file changed while all of them were read. While somebody writes without a pause
 * there may be no such moment; then a state is taken of which each file for itself was whole. Throws WATCH_UNSETTLED when
 * not even that is to be had.
 */
export async function takeSnapshot({ paths, listen, previous }: Reading): Promise<Snapshot> {
  let best: Snapshot | undefined;
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const { roots, places } = await survey(paths);
    // A change between the survey and the beginning of listening would be missed: survey again.
    if (listen(places)) continue;
    const snapshot = await readAll(roots, previous);
    if (!snapshot) continue;
    best = snapshot;
    if (await isUnchanged(snapshot)) return best;
  }
  if (!best) throw errors.WATCH_UNSETTLED({ attempts: mostAttempts });
  return best;
}

/** Undefined when a file went away or was written to while it was being read. */
async function readAll(roots: readonly Root[], previous: Snapshot | undefined): Promise<Snapshot | undefined> {
  const digests: Digests = new Map();
  const hashed: HashedRoot[] = [];
  const breathe = openSlices();
  for (const root of roots) {
    try {
      for (const file of root.files) {
        const digest = await digestOf(file, previous?.digests.get(file.real), breathe);
        if (!digest) return undefined;
        digests.set(file.real, digest);
        await breathe();
      }
      hashed.push({ ...root, hash: root.missing || root.fault ? undefined : hashOf(root, digests) });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      hashed.push({ ...root, hash: undefined, fault: error });
    }
  }
  return { roots: hashed, digests };
}

function hashOf({ files }: Root, digests: Digests): string {
  const hash = createHash('sha256');
  for (const { name, real } of files) hash.update(`${name}\0${digests.get(real)!.digest}\n`);
  return hash.digest('hex');
}

async function isUnchanged({ digests }: Snapshot): Promise<boolean> {
  const breathe = openSlices();
  for (const [real, { stamp }] of digests) {
    const stats = statusIfReadable(real);
    if (!stats || stampOf(stats) !== stamp) return false;
    await breathe();
  }
  return true;
}

/**
 * Coarser than the clock of any file system (FAT: 2 s). A file that changed shortly before it was read may change again
 * within the same tick and keep its stamp, so such a digest is not relied on.
 */
const coarsestTick = 3000;

async function digestOf(file: File, known: Digest | undefined, breathe: Breathe): Promise<Digest | undefined> {
  if (known?.stamp === file.stamp && known.takenAt - file.changed > coarsestTick) return known;
  let opened: number | undefined;
  try {
    // O_NONBLOCK: should a pipe have taken the file's name, opening it must not wait for a writer.
    opened = openSync(file.real, constants.O_RDONLY | constants.O_NONBLOCK);
    const takenAt = Date.now();
    const before = fstatSync(opened, { bigint: true });
    if (!before.isFile()) return undefined;
    const digest = await hashFile(opened, breathe);
    const stamp = stampOf(before);
    return stampOf(fstatSync(opened, { bigint: true })) === stamp ? { stamp, digest, takenAt } : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw errors.WATCH_UNREADABLE({ path: file.real }, error);
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

let chunk: Buffer | undefined;

async function hashFile(opened: number, breathe: Breathe): Promise<string> {
  chunk ??= Buffer.allocUnsafe(64 * 1024);
  const hash = createHash('sha256');
  for (;;) {
    const size = readSync(opened, chunk, 0, chunk.length, null);
    hash.update(chunk.subarray(0, size));
    // A regular file reads short only at its end.
    if (size < chunk.length) return hash.digest('hex');
    await breathe();
  }
}
