// The application as probes see it: how it is reached, how a request to it is written, what it usually answers.

import { peersOf } from '@outrigger/core';
import { type Answer, type Awaited, Line } from './line.ts';
import type { DoctorParameters } from './parameters.ts';
import type { Response } from './response-reader.ts';

export type Peer = { readonly host: string; readonly port: number } | { readonly path: string };

export type Request = {
  readonly method?: string;
  /** As it stands in the request line. */
  readonly target?: string;
  readonly version?: '1.0' | '1.1';
  readonly fields?: readonly (readonly [name: string, value: string])[];
  /** Overrides how the names of all fields are written. */
  readonly spelling?: Spelling;
};

export type Spelling = 'Title-Case' | 'lower-case';

/** `http://127.0.0.1:8080/status`, `unix:/run/app.sock:/status` */
const pathOf = ({ protocol, pathname, search }: URL) =>
  (protocol === 'unix:' ? /:(\/[!-~]*)$/.exec(pathname)?.[1] : `${pathname}${search}`) ?? '/';

export class Target {
  readonly #peer: Peer;
  readonly #path: string;
  readonly host: string;
  readonly options: DoctorParameters;
  /** As it is written for --upstream. */
  readonly name: string;
  spelling: Spelling = 'Title-Case';
  /** What it answered to a plain GET. */
  usual: Response | undefined;

  constructor(options: DoctorParameters) {
    const { target, path, host } = options;
    const [peer] = peersOf(target);
    if (!peer) throw new Error(`--target ${target.href} names nobody to connect to`);
    this.#peer = peer;
    this.#path = path ?? pathOf(target);
    this.options = options;
    this.host = host ?? (target.host || 'localhost');
    this.name = 'path' in peer ? `unix:${peer.path}` : `http://${target.hostname}:${peer.port}`;
  }

  /** On the way to it nobody else can listen. */
  get isBeside(): boolean {
    return 'path' in this.#peer || /^(localhost|127(\.\d+){3}|::1)$/.test(this.#peer.host);
  }

  /** What --upstream is for HTTP/2 without TLS; undefined where that is not to be had. */
  get h2c(): string | undefined {
    return 'path' in this.#peer ? undefined : this.name.replace(/^http:/, 'h2c:');
  }

  dial(): Promise<Line> {
    return Line.open(this.#peer, this.options.timeout);
  }

  /** A head. The names of `fields` are given in title case. */
  request({ method = 'GET', target, version = '1.1', fields = [], spelling = this.spelling }: Request = {}): string {
    const spelt = (name: string) => (spelling === 'lower-case' ? name.toLowerCase() : name);
    const own = [
      ['Host', this.host],
      ['User-Agent', 'outrigger-doctor'],
      ['Accept', '*/*'],
    ] as const;
    const lines = [...own, ...fields].map(([name, value]) => `${spelt(name)}: ${value}\r\n`);
    return `${method} ${target ?? this.#path} HTTP/${version}\r\n${lines.join('')}\r\n`;
  }

  /** One request on a connection of its own. */
  async ask(request: Request = {}): Promise<Answer> {
    using line = await this.dial();
    return await line.send(this.request(request)).answer(this.waits(request.method));
  }

  waits(method = 'GET'): Awaited {
    return { timeout: this.options.timeout, method };
  }

  get absolute(): string {
    return `http://${this.host}${this.#path}`;
  }

  /** The same as to a plain GET. */
  isUsual(answer: Answer): boolean {
    return answer.kind === 'response' && answer.status === this.usual?.status;
  }
}
