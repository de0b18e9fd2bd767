// Walks what is watched: which files there are, and which directories have to be watched to hear of any change to them.

import { type BigIntStats, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Fault } from '../errors.ts';
import { errors } from './errors.ts';
import { Follower, ifThere } from './follow.ts';
import { type Breathe, openSlices } from './slices.ts';

export type File = {
  /** Below the watched path; empty when the watched path is the file itself. */
  readonly name: string;
  readonly real: string;
  /** Changes whenever the content may have changed. */
  readonly stamp: string;
  /** Of the last change of content or inode, in milliseconds since the epoch. */
  readonly changed: number;
};

export type Root = {
  /** As it was named. */
  readonly path: string;
  readonly missing: boolean;
  /** Sorted by name. */
  readonly files: readonly File[];
  /** Neither file nor directory (pipes, sockets, devices): never opened, since reading a pipe would wait for ever. */
  readonly skipped: readonly string[];
  /** Why it cannot be read; then its files are not all of them. */
  readonly fault?: Fault;
};

/** A directory (or a watched file itself) to listen to. */
export type Place = {
  readonly path: string;
  /** Tells a directory from another one that took its name. */
  identity: string;
  /** Every entry matters; otherwise only `names` do. */
  all: boolean;
  readonly names: Set<string>;
};

export type Survey = {
  readonly roots: readonly Root[];
  readonly places: ReadonlyMap<string, Place>;
};

/** A watch on a home directory or on / by mistake is said, not served: its cost would be the application's. */
const mostEntries = 20_000;

/**
 * Not configuration: what the kubelet keeps behind its links, version control, and what editors leave beside a file
 * while it is open. Counting them would notify two or three times for one save in vim.
 */
const ignored = /^(?:\.\..*|\.git|4913|.*~|\.#.*|#.*#|\..*\.sw[a-z]|\.nfs[0-9a-f]+)$/;

export const isIgnored = (name: string): boolean => ignored.test(name);

/**
 * What lies behind `..data` is written once, before the swap: listening there would only tell of the removal of the old
 * generation, and cost a look in vain for each swap.
 */
const isGeneration = (directory: string): boolean => /\/\.\.[^/]/.test(directory);

/** Everything that the paths hold now. What cannot be read at one of them keeps nobody from the others. */
export async function survey(paths: readonly string[]): Promise<Survey> {
  const places = new Map<string, Place>();
  const walk: Walk = {
    places,
    follower: new Follower(({ directory, name }) => {
      if (!isGeneration(directory)) place(places, directory).names.add(name);
    }),
    breathe: openSlices(),
  };
  const roots: Root[] = [];
  for (const path of paths) roots.push(await surveyRoot(path, walk));
  identify(places);
  return { roots, places };
}

type Walk = {
  readonly places: Map<string, Place>;
  readonly follower: Follower;
  readonly breathe: Breathe;
};
/** What one root holds. */
type Found = {
  readonly path: string;
  readonly files: File[];
  readonly skipped: string[];
  /** Directories to listen to, once it is known that all of it is watched. */
  readonly directories: string[];
  count: number;
};

function place(places: Map<string, Place>, path: string): Place {
  const known = places.get(path);
  if (known) return known;
  const made = { path, identity: '', all: false, names: new Set<string>() };
  places.set(path, made);
  return made;
}

async function surveyRoot(path: string, walk: Walk): Promise<Root> {
  try {
    return await walkRoot(path, walk);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { path, missing: false, files: [], skipped: [], fault: error };
  }
}

async function walkRoot(path: string, walk: Walk): Promise<Root> {
  const found: Found = { path, files: [], skipped: [], directories: [], count: 0 };
  const { files, skipped } = found;
  const real = readable(path, () => walk.follower.follow('/', resolve(path)));
  const stats = real === undefined ? undefined : statusOf(real);
  if (real === undefined || stats === undefined) return { path, missing: true, files, skipped };
  // A single file that is mounted (subPath) is another inode's name: its directory never hears of a change to it.
  if (stats.isFile()) place(walk.places, real).names.add(basename(real));
  await visit({ real, name: '', stats, above: [] }, found, walk);
  for (const each of found.directories) place(walk.places, each).all = true;
  files.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { path, missing: false, files, skipped };
}

/** Something there, without links in its path, below the directories it was found in. */
type Visit = {
  readonly real: string;
  readonly name: string;
  readonly stats: BigIntStats;
  readonly above: readonly string[];
};

async function visit(entry: Visit, found: Found, walk: Walk): Promise<void> {
  const { real, name, stats, above } = entry;
  if (stats.isDirectory()) {
    // A link to a directory above would be followed for ever.
    if (!above.includes(real)) await visitDirectory(entry, found, walk);
  } else if (stats.isFile()) {
    found.files.push({ name, real, stamp: stampOf(stats), changed: Number(stats.ctimeMs) });
  } else {
    found.skipped.push(real);
  }
}

async function visitDirectory({ real, name, above }: Visit, found: Found, walk: Walk): Promise<void> {
  if (!isGeneration(real)) found.directories.push(real);
  const entries = readable(real, () => ifThere(() => readdirSync(real, { withFileTypes: true }))) ?? [];
  const wanted = entries.filter((entry) => !isIgnored(entry.name));
  found.count += wanted.length;
  if (found.count > mostEntries) throw errors.WATCH_TOO_MANY_FILES({ path: found.path, limit: mostEntries });
  for (const entry of wanted) {
    const path = join(real, entry.name);
    const target = entry.isSymbolicLink() ? readable(path, () => walk.follower.follow(real, entry.name)) : path;
    const stats = target === undefined ? undefined : statusOf(target);
    // A dangling link holds nothing, as if it were not there: the kubelet removes the link of a deleted key only after
    // the swap that made it dangle.
    if (target === undefined || stats === undefined) continue;
    const below = name === '' ? entry.name : `${name}/${entry.name}`;
    await visit({ real: target, name: below, stats, above: [...above, real] }, found, walk);
    await walk.breathe();
  }
}

const statusOf = (path: string): BigIntStats | undefined =>
  readable(path, () => ifThere(() => statSync(path, { bigint: true, throwIfNoEntry: false })));

/** A directory that may not be looked at cannot be listened to either; its files say that they cannot be read. */
export function statusIfReadable(path: string): BigIntStats | undefined {
  try {
    return statusOf(path);
  } catch {
    return undefined;
  }
}

function readable<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw errors.WATCH_UNREADABLE({ path }, error);
  }
}

/** Mode and link count change only the time of the inode; the hash of the content tells that nothing happened. */
export const stampOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats) =>
  `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;

function identify(places: Map<string, Place>): void {
  for (const each of places.values()) {
    const stats = statusIfReadable(each.path);
    // ext4 gives the number of a removed directory to the next one made, so its time of birth counts as well.
    if (stats) each.identity = `${stats.dev}:${stats.ino}:${stats.birthtimeNs}`;
    else places.delete(each.path);
  }
}
