// The sidecar under test: a command, its environment and the files that it reads.

import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { takePort } from './take-port.ts';

export type Subject = {
  /** Program and arguments; {admin}, {port}, {port:name}, {scratch} and {state} are filled in. */
  readonly command: readonly string[];
  /** Values are filled in, too. */
  readonly env: Readonly<Record<string, string>>;
  /** Name in the scratch directory, and the file or directory that is copied there for each rule. */
  readonly files: ReadonlyMap<string, string>;
  /** URL of the sidecar's own service, filled in, too. */
  readonly traffic: string | undefined;
};

/** What the placeholders stand for, the same for all that one rule starts. */
export class Place {
  readonly scratch: string;
  readonly #ports = new Map<string, number>();

  private constructor(scratch: string) {
    this.scratch = scratch;
  }

  /** Copies the subject's files and makes the directory {state}. */
  static async lay(scratch: string, subject: Subject): Promise<Place> {
    const place = new Place(scratch);
    await mkdir(place.state);
    for (const [name, source] of subject.files)
      await cp(source, join(scratch, name), { recursive: true, verbatimSymlinks: true });
    for (const text of ['{port:admin}', ...textsOf(subject)])
      for (const [, name] of text.matchAll(namedPort))
        if (!place.#ports.has(name!)) place.#ports.set(name!, await takePort());
    return place;
  }

  /** Where a sidecar that keeps something keeps it. */
  get state(): string {
    return join(this.scratch, 'state');
  }

  get port(): number {
    return this.#ports.get('admin')!;
  }

  get admin(): string {
    return `127.0.0.1:${this.port}`;
  }

  fill(text: string): string {
    const values: Readonly<Record<string, string>> = {
      admin: this.admin,
      port: String(this.port),
      scratch: this.scratch,
      state: this.state,
    };
    return text
      .replace(namedPort, (_, name: string) => String(this.#ports.get(name)))
      .replace(/\{(admin|port|scratch|state)\}/g, (_, name: string) => values[name]!);
  }
}

const namedPort = /\{port:([a-z0-9-]+)\}/g;

const textsOf = ({ command, env, traffic = '' }: Subject) => [...command, ...Object.values(env), traffic];

/** Whether it says where it keeps something, so that this place can be taken away from it. */
export const namesState = (subject: Subject): boolean => textsOf(subject).some((text) => text.includes('{state}'));
