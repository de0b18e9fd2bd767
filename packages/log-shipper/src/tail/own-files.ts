// What this process writes itself, by name or by where that leads: to follow it would have no end.

import { basename, dirname, join, resolve } from 'node:path';
import { stateName } from '../checkpoint.ts';
import { directoryName as deadName } from '../dead/files.ts';
import { lockName } from '../lock.ts';
import { directoryName as spoolName } from '../spool/segment.ts';
import { isGeneration } from './generations.ts';
import { realPath } from './real-path.ts';

const ownDirectories: ReadonlySet<string> = new Set([spoolName, deadName]);
const compressed = /\.gz(\.tmp)?$/;

type Options = {
  readonly stateDirectory: string;
  /** Files of sinks, which rotate them. */
  readonly written?: readonly string[];
};

export class OwnFiles {
  /** As they were named. */
  readonly written: readonly string[];
  readonly #files: ReadonlySet<string>;
  readonly #stateDirectories: readonly string[];

  constructor({ stateDirectory, written = [] }: Options) {
    const state = resolve(stateDirectory);
    this.#stateDirectories = [state, realPath(state) ?? state];
    this.written = written.map((path) => resolve(path));
    // They need not be there yet, and are no links themselves.
    const real = this.written.map((path) => join(realPath(dirname(path)) ?? dirname(path), basename(path)));
    this.#files = new Set([...this.written, ...real]);
  }

  has(path: string): boolean {
    return this.#isWritten(path) || this.#stateDirectories.some((directory) => isState(directory, path));
  }

  #isWritten(path: string): boolean {
    if (this.#files.size === 0) return false;
    const plain = path.replace(compressed, '');
    return this.#files.has(plain) || [...this.#files].some((file) => isGeneration(plain, file));
  }
}

/** Whatever else lies in the state directory may be a log like any other. */
function isState(directory: string, path: string): boolean {
  if (!path.startsWith(`${directory}/`)) return false;
  const [name = '', ...rest] = path.slice(directory.length + 1).split('/');
  return rest.length > 0 ? ownDirectories.has(name) : name.startsWith(stateName) || name.startsWith(lockName);
}
