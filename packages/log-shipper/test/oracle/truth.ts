// What was written, as the journals of the producer say it: which records are to arrive, in which order, and where in which
// file they lie.

import { crc32 } from 'node:zlib';
import { type Entry, journalOf, Tail } from './journal.ts';
import { lineOf, middleOf, piecesOf, type Script } from './lines.ts';

/** One line, or a piece of one, that cannot be known by its beginning. Two halves stand for a whole. */
export type Special = { readonly log: LogTruth; readonly at: number; readonly half: 0 | 1 | 2 };

/** Bytes of a line as they are shipped where only text can be: what is not UTF-8 becomes U+FFFD. */
export const repaired = (line: Buffer): Buffer => Buffer.from(line.toString('utf8'));

/** What a file on disk holds: from the record `first`, its first byte is byte `base` of all that was ever written under its name. */
type Content = { readonly log: LogTruth; readonly first: number; readonly base: number; end: number };

/** All that was written under one name. */
export class LogTruth {
  readonly file: number;
  readonly path: string;
  /** Of each record: checksums of its bytes, as they were and repaired. */
  readonly raw: number[] = [];
  readonly text: number[] = [];
  /** Of each record: where it ends in all that was ever written. */
  readonly ends: number[] = [];
  /** By number of the line: which record it is, or is the first piece of. */
  readonly firstOf: number[] = [];
  readonly empty = new Set<number>();
  /** Records of which only the first half was written, and a newline: whoever shipped that half has shipped them. */
  readonly torn = new Set<number>();
  /** The first record of each generation of the file. */
  readonly generations: number[] = [];
  /** Generations that were copied before they were truncated. */
  readonly copied = new Set<number>();
  /** How many records were written to their end. */
  complete = 0;
  /** Bytes of complete lines. */
  size = 0;
  /** How many lines may have left an empty one behind: those that were shipped without their newline. */
  broken = 0;

  constructor(file: number, path: string) {
    this.file = file;
    this.path = path;
  }

  /** Which generation of the file a record is in. */
  generationOf(at: number): number {
    return this.generations.findLastIndex((first) => first <= at);
  }
}

export class Truth {
  readonly logs: readonly LogTruth[];
  /** By checksum of the content. */
  readonly specials = new Map<number, Special[]>();
  /** By inode, what each file holds. */
  readonly contents = new Map<string, Content>();
  readonly #script: Script;
  readonly #tails: readonly Tail[];
  readonly #current: Content[] = [];
  readonly #inodes: string[] = [];
  readonly #pending: { from: number; count: number; record: number }[] = [];

  constructor(script: Script, { paths, directory }: { paths: readonly string[]; directory: string }) {
    this.#script = script;
    this.logs = paths.map((path, file) => new LogTruth(file, path));
    this.#tails = paths.map((_, file) => new Tail(journalOf(directory, file)));
  }

  /** Reads on in the journals. */
  update(): void {
    for (const [file, tail] of this.#tails.entries())
      for (const text of tail.next()) this.#take(this.logs[file]!, JSON.parse(text) as Entry);
  }

  #take(log: LogTruth, entry: Entry): void {
    const { file } = log;
    switch (entry.did) {
      case 'open':
        if (this.#inodes[file] !== entry.inode) this.#begin(log, entry.inode);
        break;
      case 'copied':
        this.contents.set(entry.inode, this.#current[file]!);
        log.copied.add(log.generations.length - 1);
        this.#begin(log, this.#inodes[file]!);
        break;
      case 'write':
        this.#write(log, entry);
        break;
      case 'written': {
        const { from, count } = this.#pending[file]!;
        this.#complete(log, from + count);
        break;
      }
      case 'mend':
        this.#mend(log, entry);
    }
  }

  #begin(log: LogTruth, inode: string): void {
    const content = { log, first: log.complete, base: log.size, end: log.size };
    log.generations.push(log.complete);
    this.#inodes[log.file] = inode;
    this.#current[log.file] = content;
    this.contents.set(inode, content);
  }

  #write(log: LogTruth, { from, count, halved }: Extract<Entry, { did: 'write' }>): void {
    this.#pending[log.file] = { from, count, record: log.raw.length };
    for (let n = from; n < from + count; n++) {
      const line = lineOf(this.#script, log.file, n);
      const record = log.raw.length;
      this.#add(log, n, line);
      if (halved && n === from + count - 1 && middleOf(line) < line.length) this.#halve(log, record, line);
    }
  }

  #add(log: LogTruth, n: number, line: Buffer): void {
    let end = log.ends.at(-1) ?? 0;
    log.firstOf[n] = log.raw.length;
    const pieces = piecesOf(line, this.#script.limit);
    for (const [index, piece] of pieces.entries()) {
      const at = log.raw.length;
      end += piece.length + (index === pieces.length - 1 ? 1 : 0);
      const text = crc32(repaired(piece));
      log.raw.push(crc32(piece));
      log.text.push(text);
      log.ends.push(end);
      if (piece.length === 0) log.empty.add(at);
      if (index > 0) this.#special(piece, { log, at, half: 0 });
    }
  }

  /** A shipper that is stopped in the middle of a line ships what there is of it, and the next one the rest. */
  #halve(log: LogTruth, at: number, line: Buffer): void {
    const middle = middleOf(line);
    log.broken++;
    this.#special(line.subarray(0, middle), { log, at, half: 1 });
    this.#special(line.subarray(middle), { log, at, half: 2 });
  }

  #special(content: Buffer, special: Special): void {
    for (const key of new Set([crc32(content), crc32(repaired(content))]))
      this.specials.set(key, [...(this.specials.get(key) ?? []), special]);
  }

  #complete(log: LogTruth, n: number): void {
    log.complete = log.firstOf[n] ?? log.raw.length;
    log.size = log.complete === 0 ? 0 : log.ends[log.complete - 1]!;
    this.#current[log.file]!.end = log.size;
  }

  /** Of what was to be written only the first lines are there, and the beginning of the next one. */
  #mend(log: LogTruth, { count, torn }: Extract<Entry, { did: 'mend' }>): void {
    const { from } = this.#pending[log.file]!;
    const end = log.firstOf[from + count] ?? log.raw.length;
    for (const records of [log.raw, log.text, log.ends]) records.length = end;
    for (const at of log.empty) if (at >= end) log.empty.delete(at);
    log.firstOf.length = from + count;
    if (torn > 0) {
      const whole = lineOf(this.#script, log.file, from + count);
      const line = whole.subarray(0, torn);
      if (torn === middleOf(whole)) log.torn.add(end);
      this.#add(log, from + count, line);
      this.#special(line, { log, at: end, half: 0 });
      log.broken++;
    }
    this.#complete(log, from + count + (torn > 0 ? 1 : 0));
  }
}
