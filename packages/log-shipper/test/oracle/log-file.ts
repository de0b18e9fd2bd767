// One file of the producer: written, rotated, and taken up again by the next producer when one was killed at any moment.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { until } from '@outrigger/core/testing';
import { type Entry, journalOf, Tail } from './journal.ts';
import { lineOf, middleOf, type Script } from './lines.ts';

const newline = Buffer.of(0x0a);

export type LogFileOptions = {
  readonly path: string;
  readonly file: number;
  readonly script: Script;
  /** For journals and marks. */
  readonly directory: string;
};

export class LogFile {
  readonly #options: LogFileOptions;
  readonly #journal: number;
  #fd = -1;
  /** Number of the next line. */
  #next = 0;
  #copies = 0;

  private constructor(options: LogFileOptions) {
    this.#options = options;
    this.#journal = openSync(journalOf(options.directory, options.file), 'a');
  }

  static async open(options: LogFileOptions): Promise<LogFile> {
    const file = new LogFile(options);
    await file.#mend();
    return file;
  }

  #say(entry: Entry): void {
    writeSync(this.#journal, `${JSON.stringify(entry)}\n`);
  }

  /** @param halfway waited for in the middle of the last line. */
  async write(count: number, halfway?: () => Promise<void>): Promise<void> {
    const from = this.#next;
    const lines = Array.from({ length: count }, (_, index) => this.#line(from + index));
    const block = Buffer.concat(lines.flatMap((line) => [line, newline]));
    const last = lines.at(-1)!;
    // The halves of a line that is shipped in pieces would be pieces that no judge knows.
    const halved = halfway !== undefined && last.length <= this.#options.script.limit;
    const cut = halved ? block.length - 1 - last.length + middleOf(last) : block.length;
    this.#say({ did: 'write', from, count, halved });
    this.#put(block.subarray(0, cut));
    if (halved) await halfway();
    this.#put(block.subarray(cut));
    this.#say({ did: 'written', bytes: block.length });
    this.#next += count;
  }

  #line(n: number): Buffer {
    return lineOf(this.#options.script, this.#options.file, n);
  }

  #put(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
  }

  /** @param late how many lines still go to the old file. */
  async rename(late: number): Promise<void> {
    const { path } = this.#options;
    this.#shift();
    this.#say({ did: 'rename' });
    renameSync(path, `${path}.1`);
    this.#say({ did: 'renamed' });
    if (late > 0) await this.write(late);
    this.#reopen();
  }

  #reopen(): void {
    if (this.#fd !== -1) closeSync(this.#fd);
    this.#fd = openSync(this.#options.path, 'a');
    this.#say({ did: 'open', inode: String(fstatSync(this.#fd, { bigint: true }).ino) });
  }

  /** app.log.2 becomes app.log.3, then app.log.1 app.log.2. One that was killed in the middle leaves a gap, which is passed on. */
  #shift(): void {
    const { path } = this.#options;
    const name = basename(path);
    const numbers = readdirSync(dirname(path))
      .filter((other) => other.startsWith(`${name}.`))
      .map((other) => Number(other.slice(name.length + 1)))
      .sort((a, b) => b - a);
    for (const number of numbers) renameSync(`${path}.${number}`, `${path}.${number + 1}`);
  }

  async copytruncate(): Promise<void> {
    const number = ++this.#copies;
    this.#shift();
    this.#say({ did: 'copy', number });
    await this.#copy(number);
  }

  /** By a program of its own, which the death of this one does not stop; and once, whoever starts it. */
  async #copy(number: number): Promise<void> {
    const { path, directory, file } = this.#options;
    const mark = join(directory, `copied-${file}-${number}`);
    const script =
      'mkdir "$2.begun" 2>/dev/null || exit 0; cp "$1" "$1.1" && truncate -s 0 "$1" && stat -c %i "$1.1" > "$2.new" && mv "$2.new" "$2"';
    await once(spawn('sh', ['-c', script, 'sh', path, mark], { detached: true, stdio: 'ignore' }), 'exit');
    await until(() => existsSync(mark), { deadline: 20_000, what: `the copy of ${path}` });
    this.#say({ did: 'copied', inode: (await readFile(mark, 'utf8')).trim() });
  }

  /** Takes up what an earlier producer had left. */
  async #mend(): Promise<void> {
    const { path, directory, file } = this.#options;
    let size = 0;
    let renamed = false;
    let inode = '';
    let pending: Entry | undefined;
    let last: Entry | undefined;
    for (const text of new Tail(journalOf(directory, file)).next()) {
      const entry = JSON.parse(text) as Entry;
      last = entry;
      if (entry.did === 'copied') size = 0;
      if (entry.did === 'copied' || entry.did === 'open') pending = undefined;
      if (entry.did === 'open') {
        // The same one again was only taken up again.
        if (entry.inode !== inode) size = 0;
        inode = entry.inode;
        renamed = false;
      }
      if (entry.did === 'write' || entry.did === 'copy' || entry.did === 'rename') pending = entry;
      if (entry.did === 'copy') this.#copies = entry.number;
      if (entry.did === 'renamed') [renamed, pending] = [true, undefined];
      if (entry.did === 'written' && pending?.did === 'write') {
        size += entry.bytes;
        this.#next = pending.from + pending.count;
        pending = undefined;
      }
      if (entry.did === 'mend') {
        size += entry.bytes;
        this.#next += entry.count + (entry.torn > 0 ? 1 : 0);
        pending = undefined;
      }
    }
    if (pending?.did === 'copy') await this.#copy(pending.number);
    const current = renamed ? `${path}.1` : path;
    if (pending?.did === 'write') this.#mendWrite({ count: pending.count, size, path: current });
    // Killed between the word and the deed.
    if (last?.did === 'mend' && statSync(current).size < size) appendFileSync(current, newline);
    this.#reopen();
  }

  /** Ends the line in whose middle the earlier producer was killed. */
  #mendWrite({ count, size, path }: { count: number; size: number; path: string }): void {
    const found = statSync(path).size - size;
    let left = found;
    let whole = 0;
    while (whole < count && left > this.#line(this.#next + whole).length) {
      left -= this.#line(this.#next + whole).length + 1;
      whole++;
    }
    this.#fd = openSync(path, 'a');
    // Said before it is done: nobody is to see a line that was not said to be there.
    this.#say({ did: 'mend', count: whole, torn: left, bytes: found + (left > 0 ? 1 : 0) });
    if (left > 0) this.#put(newline);
    closeSync(this.#fd);
    this.#fd = -1;
    this.#next += whole + (left > 0 ? 1 : 0);
  }
}
