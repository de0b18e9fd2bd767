// Numbers that are collected one by one and kept: as a typed array they cost the garbage collector nothing, and half the
// memory. Lists of a line each are most of what the hot path would leave behind.

/** Above this, what a rare chunk of very short lines needed is given back. */
const kept = 0x10000;

export class Numbers {
  #values = new Uint32Array(0x400);
  length = 0;

  /** One, or two at once. */
  push(value: number, second?: number): void {
    if (this.length + 2 > this.#values.length) this.#grow();
    this.#values[this.length++] = value;
    if (second !== undefined) this.#values[this.length++] = second;
  }

  /** Many, each with something added. */
  append(values: Int32Array, plus: number): void {
    const { length } = values;
    while (this.length + length > this.#values.length) this.#grow();
    const into = this.#values;
    for (let index = 0, at = this.length; index < length; index++) into[at++] = values[index]! + plus;
    this.length += length;
  }

  #grow(): void {
    const grown = new Uint32Array(this.#values.length * 2);
    grown.set(this.#values);
    this.#values = grown;
  }

  /** All of them, and none is left. */
  take(): Uint32Array {
    const taken = this.#values.slice(0, this.length);
    this.length = 0;
    if (this.#values.length > kept) this.#values = new Uint32Array(0x400);
    return taken;
  }
}
