// Everything that the Pod's containers print, and what we say ourselves, as one stream of whole lines.

import type { Readable } from 'node:stream';
import { Lines } from './lines.ts';
import { type Paint, paint } from './paint.ts';
import { prettyLine } from './pretty.ts';

export type LogOptions = {
  readonly write: (text: string) => void;
  /** In the order of their colours. */
  readonly names: readonly string[];
  readonly colours: boolean;
  /** Whether JSON lines of sidecars are rendered as text. */
  readonly pretty: boolean;
};

const own = 'outrigger';

export class MergedLog {
  readonly paint: Paint;
  readonly #options: LogOptions;
  readonly #width: number;

  constructor(options: LogOptions) {
    this.#options = options;
    this.paint = paint(options.colours);
    this.#width = Math.max(own.length, ...options.names.map((name) => name.length));
  }

  /** Follows a stream of a container to its end. @param json whether its lines are those of a sidecar. */
  follow(name: string, stream: Readable, json: boolean): void {
    const pretty = json && this.#options.pretty;
    const lines = new Lines((line) => this.#print(name, (pretty && prettyLine(line, this.paint)) || line));
    stream.on('data', (chunk: Buffer) => lines.push(chunk));
    stream.on('error', () => lines.end());
    stream.on('close', () => lines.end());
  }

  /** Our own words, one line or more. */
  say(text: string): void {
    this.#print(own, text);
  }

  /** A block of text as it is. */
  print(text: string): void {
    this.#options.write(text);
  }

  #print(name: string, text: string): void {
    const index = this.#options.names.indexOf(name);
    const padded = name.padEnd(this.#width);
    const prefix = index < 0 ? this.paint.bold(padded) : this.paint.name(index, padded);
    const lines = text.split('\n').map((line) => `${prefix} ${this.paint.dim('|')} ${line}\n`);
    this.#options.write(lines.join(''));
  }
}
