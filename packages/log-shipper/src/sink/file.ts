// A file that is rotated, for whoever reads files. Acknowledged when the kernel has taken it, or by option the disk.

import { boolean, choice, duration, integer, path, reasonOf, size, type Values } from '@outrigger/core';
import type { Batch } from '../batch.ts';
import { json } from '../encoding/json.ts';
import { line } from '../encoding/line.ts';
import { LogFile, syncDirectoryOf } from './file/log-file.ts';
import { RotatedFiles } from './file/rotated-files.ts';
import { defineSink, delivered, type SinkContext, type Verdict } from './sink.ts';

const parameters = {
  path: path({ access: 'write', help: 'File to write to; it is no symlink', example: '/var/log/billing.ndjson' }),
  encoding: choice(['line', 'json'], {
    default: 'line',
    help: 'The lines as they were, or a JSON object per record with all its fields',
  }),
  sync: boolean({ default: 'false', help: 'Whether records are acknowledged only when they are on the disk' }),
  rotateSize: size({ default: '100MiB', min: '1KiB', help: 'Largest file; the next batch begins a new one' }),
  rotateAge: duration({ optional: true, min: '1s', help: 'After how long the next batch begins a new file' }),
  keep: integer({ default: '5', min: 0, max: 10_000, help: 'How many rotated files to keep' }),
  compress: choice(['gzip', 'none'], { default: 'gzip', help: 'How rotated files are compressed' }),
};

export const file = defineSink({
  summary: 'A file that is rotated by size and age',
  parameters,

  writes: ({ path }) => path,

  open(given, context) {
    const writer = new RotatingFile(given, context);
    return {
      encoding: { line, json }[given.encoding],
      local: !given.sync,
      write: (batch) => writer.write(batch),
      close: () => writer[Symbol.asyncDispose](),
    };
  },
});

class RotatingFile implements AsyncDisposable {
  readonly #given: Values<typeof parameters>;
  readonly #log: SinkContext['log'];
  readonly #closing = new AbortController();
  readonly #rotated: RotatedFiles;
  #file: LogFile | undefined;
  /** Begun by the first write: who only opens a sink wants to know whether that works. */
  #tidying: Promise<void> | undefined;

  constructor(given: Values<typeof parameters>, { log }: Pick<SinkContext, 'log'>) {
    this.#given = given;
    this.#log = log;
    this.#rotated = new RotatedFiles({ ...given, signal: this.#closing.signal });
  }

  async write({ bytes }: Batch): Promise<Verdict> {
    const { sync } = this.#given;
    this.#tidying ??= this.#tidy();
    const file = await this.#current(bytes.length);
    await file.append(bytes, { sync });
    return delivered;
  }

  async #current(needed: number): Promise<LogFile> {
    const { path, sync } = this.#given;
    if (this.#file && !(await this.#file.isCurrent())) await this.#close();
    this.#file ??= await LogFile.open(path);
    if (this.#isDue(this.#file, needed)) {
      await this.#close();
      await this.#rotated.add();
      this.#file = await LogFile.open(path);
      this.#tidying = this.#tidying?.then(() => this.#tidy());
    }
    if (sync && this.#file.size === 0) await syncDirectoryOf(path);
    return this.#file;
  }

  #isDue({ size, born }: LogFile, needed: number): boolean {
    const { rotateSize, rotateAge = Number.POSITIVE_INFINITY } = this.#given;
    return size > 0 && (size + needed > rotateSize || Date.now() - born > rotateAge);
  }

  /** Nothing is lost when it fails: it is tried again after the next rotation. */
  async #tidy(): Promise<void> {
    try {
      await this.#rotated.tidy();
    } catch (error) {
      this.#log.warn('Rotated files cannot be tidied up', { path: this.#given.path, reason: reasonOf(error) });
    }
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#tidying;
    await this.#close();
  }
}
