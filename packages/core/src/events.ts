// What happened, for GET /v1/events: a bounded history and whoever listens.

export type SidecarEvent = {
  readonly id: number;
  readonly type: string;
  readonly time: string;
  readonly data: unknown;
};

const kept = 256;

export class Events {
  #next = 1;
  readonly #history: SidecarEvent[] = [];
  readonly #listeners = new Set<(event: SidecarEvent) => void>();

  publish(type: string, data: unknown = {}): void {
    const event = { id: this.#next++, type, time: new Date().toISOString(), data };
    this.#history.push(event);
    if (this.#history.length > kept) this.#history.shift();
    for (const listener of this.#listeners) listener(event);
  }

  /** Those still kept that came after `id`. */
  since(id: number): SidecarEvent[] {
    return this.#history.filter((event) => event.id > id);
  }

  /** Returns how to stop listening. */
  listen(listener: (event: SidecarEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
