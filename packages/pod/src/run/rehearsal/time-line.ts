// Who got what when, from the moment the Pod's end begins.

import type { Exit } from '../process/launch.ts';

export type ContainerEvent =
  | { readonly what: 'preStop begun' | 'preStop done' | 'preStop cut short' }
  | { readonly what: 'preStop failed'; readonly reason: string }
  | { readonly what: 'signal'; readonly signal: NodeJS.Signals }
  | { readonly what: 'exit'; readonly exit: Exit };

/** @param at on the clock of performance.now(); by default now. */
export type NoteEvent = (container: string, event: ContainerEvent, at?: number) => void;

export type Noted = {
  /** Milliseconds since the end began. */
  readonly at: number;
  readonly container: string;
  readonly event: ContainerEvent;
};

export class TimeLine {
  readonly #noted: Noted[] = [];
  readonly #exitsBefore = new Map<string, Exit>();
  #origin: number | undefined;

  /** Of what comes before only the exits are known. */
  begin(): void {
    this.#origin ??= performance.now();
  }

  readonly note: NoteEvent = (container, event, at = performance.now()) => {
    if (this.#origin !== undefined && at >= this.#origin) this.#noted.push({ at: at - this.#origin, container, event });
    else if (event.what === 'exit') this.#exitsBefore.set(container, event.exit);
  };

  /** How it ended last before the Pod's end began. */
  exitBefore(container: string): Exit | undefined {
    return this.#exitsBefore.get(container);
  }

  /** When the end began, in milliseconds since the epoch. */
  get begun(): number {
    return performance.timeOrigin + (this.#origin ?? performance.now());
  }

  /** In order of time. What is sent to a container that is gone reaches nobody, and is left out. */
  get events(): Noted[] {
    const exits = new Map(
      this.#noted.flatMap(({ container, event, at }) => (event.what === 'exit' ? [[container, at]] : [])),
    );
    return this.#noted
      .filter(({ container, event, at }) => event.what !== 'signal' || at <= (exits.get(container) ?? at))
      .toSorted((a, b) => a.at - b.at);
  }
}
