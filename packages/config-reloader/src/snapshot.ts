// Reads what is watched into one hash. Only content counts: not modes, not times, not which generation directory of the
// kubelet it lies in.

import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { errors } from './errors.ts';
import { ifThere, isMissing } from './follow.ts';
import { type Breathe, openSlices } from './slices.ts';
import { type File, type Place, type Root, stampOf, survey } from './survey.ts';

type Digest = { readonly stamp: string; readonly digest: string; readonly takenAt: number };

export type Snapshot = {
  readonly roots: readonly (Root & { readonly hash: string })[];
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
 * there may be no such moment; then a state is taken of which each file for itself was whole.
 */
export async function takeSnapshot({ paths, listen, previous }: Reading): Promise<Snapshot> {
  let best: Snapshot | undefined;
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const { roots, places } = await survey(paths);
    // A change between the survey and the beginning of listening would be missed: survey again.
    if (listen(places)) continue;
    const digests = await digestAll(roots, previous);
    if (!digests) continue;
    best = { roots: roots.map((root) => ({ ...root, hash: hashOf(root, digests) })), digests };
    if (await isUnchanged(digests)) return best;
  }
  if (!best) throw errors.RELOAD_UNSETTLED({ attempts: mostAttempts });
  return best;
}

function hashOf({ files }: Root, digests: ReadonlyMap<string, Digest>): string {
  const hash = createHash('sha256');
  for (const { name, real } of files) hash.update(`${name}\0${digests.get(real)!.digest}\n`);
  return hash.digest('hex');
}

/** Undefined when a file went away or was written to while it was being read. */
async function digestAll(roots: readonly Root[], previous: Snapshot | undefined) {
  const digests = new Map<string, Digest>();
  const breathe = openSlices();
  for (const { files } of roots) {
    for (const file of files) {
      const digest = await digestOf(file, previous?.digests.get(file.real), breathe);
      if (!digest) return undefined;
      digests.set(file.real, digest);
      await breathe();
    }
  }
  return digests;
}

async function isUnchanged(digests: ReadonlyMap<string, Digest>): Promise<boolean> {
  const breathe = openSlices();
  for (const [real, { stamp }] of digests) {
    const stats = ifThere(() => statSync(real, { bigint: true, throwIfNoEntry: false }));
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
    throw errors.RELOAD_UNREADABLE({ path: file.real }, error);
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

const chunk = Buffer.allocUnsafe(64 * 1024);

async function hashFile(opened: number, breathe: Breathe): Promise<string> {
  const hash = createHash('sha256');
  for (;;) {
    const size = readSync(opened, chunk, 0, chunk.length, null);
    hash.update(chunk.subarray(0, size));
    // A regular file reads short only at its end.
    if (size < chunk.length) return hash.digest('hex');
    await breathe();
  }
}
