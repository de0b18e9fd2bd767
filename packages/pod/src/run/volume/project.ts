// The files of a ConfigMap or Secret, laid out and swapped as the kubelet does it:
//
//   ..2026_11_20_19_04_05.a1b2c3/key   the files, in a directory that is never changed
//   ..data -> ..2026_11_20_19_04_05.a1b2c3   swapped by one rename
//   key -> ..data/key

import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PayloadFile } from '../../manifest/payload.ts';

type Files = ReadonlyMap<string, PayloadFile>;

/** Makes the directory hold exactly these files; returns whether anything changed. */
export async function project(directory: string, files: Files): Promise<boolean> {
  const old = await readlink(join(directory, '..data')).catch(missing);
  if (old !== undefined && (await holds(join(directory, old), files))) return false;

  const fresh = await mkdtemp(join(directory, timestamp()));
  await chmod(fresh, 0o755);
  for (const [path, { content, mode }] of files) {
    const file = join(fresh, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o755 });
    await writeFile(file, content);
    await chmod(file, mode);
  }
  await point(directory, '..data', fresh.slice(directory.length + 1));
  // New names come after the swap and old ones go after it: a name that is seen always leads to a file.
  await publishNames(directory, files);
  if (old !== undefined) await rm(join(directory, old), { recursive: true, force: true });
  return true;
}

async function holds(directory: string, files: Files): Promise<boolean> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  if (entries.filter((entry) => entry.isFile()).length !== files.size) return false;
  for (const [path, { content, mode }] of files) {
    const file = join(directory, path);
    const status = await lstat(file).catch(missing);
    if ((status && status.mode & 0o777) !== mode || !content.equals(await readFile(file))) return false;
  }
  return true;
}

async function publishNames(directory: string, files: Files): Promise<void> {
  const names = new Set([...files.keys()].map((path) => path.split('/')[0]!));
  const present = new Set(await readdir(directory));
  for (const name of names) if (!present.has(name)) await symlink(join('..data', name), join(directory, name));
  for (const name of present) if (!name.startsWith('..') && !names.has(name)) await rm(join(directory, name));
}

async function point(directory: string, name: string, target: string): Promise<void> {
  const temporary = join(directory, `${name}_tmp`);
  await rm(temporary, { force: true });
  await symlink(target, temporary);
  await rename(temporary, join(directory, name));
}

const timestamp = () => `..${new Date().toISOString().slice(0, 19).replace(/[-T:]/g, '_')}.`;

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
