// Who may make large things of what was received: only so much is decompressed and decoded at a time, the others wait.

export class Turns {
  readonly #limit: number;
  #taken = 0;
  readonly #waiting: (() => void)[] = [];

  /** @param limit bytes that are worked on together; exceeded only by a single message. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  async take(bytes: number): Promise<Disposable> {
    while (this.#taken > 0 && this.#taken + bytes > this.#limit)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#taken += bytes;
    return {
      [Symbol.dispose]: () => {
        this.#taken -= bytes;
        for (const resolve of this.#waiting.splice(0)) resolve();
      },
    };
  }
}
