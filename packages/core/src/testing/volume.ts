// A directory that changes as the kubelet changes a ConfigMap or Secret volume.

import { mkdir, readdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export type Files = Readonly<Record<string, string>>;

export class Volume {
  readonly path: string;
  #generation = 0;
  #current: string | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Returns process.hrtime.bigint() right after the swap. */
  async swap(files: Files, { keepOld = false } = {}): Promise<bigint> {
    const before = this.#current;
    // The real name holds a date; the order of its digits is all that matters here.
    this.#current = `..2026_11_20_00_00_00.${String(++this.#generation).padStart(9, '0')}`;
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(this.path, this.#current, name)), { recursive: true });
      await writeFile(join(this.path, this.#current, name), content);
    }
    await symlink(this.#current, join(this.path, '..data_tmp'));
    await rename(join(this.path, '..data_tmp'), join(this.path, '..data'));
    const swapped = process.hrtime.bigint();
    await this.#link(new Set(Object.keys(files).map((name) => name.split('/')[0]!)));
    if (before && !keepOld) await rm(join(this.path, before), { recursive: true });
    return swapped;
  }

  async #link(wanted: ReadonlySet<string>): Promise<void> {
    const there = (await readdir(this.path)).filter((name) => !name.startsWith('..'));
    for (const name of wanted) if (!there.includes(name)) await symlink(join('..data', name), join(this.path, name));
    for (const name of there) if (!wanted.has(name)) await unlink(join(this.path, name));
  }
}

export async function makeVolume(path: string, files: Files): Promise<Volume> {
  await mkdir(path, { recursive: true });
  const volume = new Volume(path);
  await volume.swap(files);
  return volume;
}
