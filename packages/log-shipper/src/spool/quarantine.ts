// Bytes of a segment that are no frame: kept aside for a person to look at, as far as there is room for such things.

import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { reasonOf } from '@outrigger/core';

/** Of all that is kept aside. */
const limits = { files: 64, bytes: 0x1000000 };

export type Damage = {
  /** The segment's file. */
  readonly path: string;
  readonly position: number;
  readonly bytes: number;
  /**
   * 'torn': the last write was cut off, nothing of it had been acknowledged. 'damaged': bytes have changed. 'empty': a
   * segment without any. 'missing': one that is not there.
   */
  readonly reason: 'torn' | 'damaged' | 'empty' | 'missing';
  /** Where the bytes are kept; undefined when there was no room, or why they could not be. */
  readonly aside?: string | undefined;
  readonly problem?: string | undefined;
};

export class Quarantine {
  readonly #directory: string;
  readonly #tell: (damage: Damage) => void;
  /** Several readers come by the same place. */
  readonly #known = new Set<string>();

  constructor(spool: string, tell: (damage: Damage) => void) {
    this.#directory = join(spool, 'quarantine');
    this.#tell = tell;
  }

  /** Told of once, whoever finds it. */
  report(damage: Damage): void {
    const key = `${damage.path}:${damage.position}`;
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.#tell(damage);
  }

  /** Copies the bytes aside. That it fails stops nobody: they are of no use to the queue. */
  async keep(file: FileHandle, damage: Damage): Promise<void> {
    if (this.#known.has(`${damage.path}:${damage.position}`)) return;
    try {
      this.report({ ...damage, aside: await this.#copy(file, damage) });
    } catch (error) {
      this.report({ ...damage, problem: reasonOf(error) });
    }
  }

  async #copy(file: FileHandle, { path, position, bytes }: Damage): Promise<string | undefined> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const names = await readdir(this.#directory);
    const aside = join(this.#directory, `${/(\d+)\.log$/.exec(path)?.[1] ?? 'segment'}-${position}-${bytes}.bad`);
    if (names.includes(basename(aside))) return aside;
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(this.#directory, name))).size));
    const used = sizes.reduce((sum, size) => sum + size, 0);
    if (names.length >= limits.files || used + bytes > limits.bytes) return undefined;
    await using copy = await open(aside, 'w', 0o600);
    const buffer = Buffer.allocUnsafe(Math.min(bytes, 0x10000));
    for (let done = 0; done < bytes; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, bytes - done), position + done);
      if (bytesRead === 0) break;
      await copy.writeFile(buffer.subarray(0, bytesRead));
      done += bytesRead;
    }
    return aside;
  }
}
