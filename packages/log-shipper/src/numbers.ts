// Numbers that are collected one by one, and used again when nobody needs them: lists of a line each would be most of what
// the hot path leaves behind, and a typed array is not missed by the garbage collector until there are many.

/** What a rare chunk of very short lines needed is not kept. */
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

  /** Many, each with something added to it. */
  append(values: Int32Array, plus = 0): void {
    const { length } = values;
    while (this.length + length > this.#values.length) this.#grow();
    const into = this.#values;
    if (plus === 0) into.set(values, this.length);
    else for (let index = 0, at = this.length; index < length; index++) into[at++] = values[index]! + plus;
    this.length += length;
  }

  #grow(): void {
    const grown = new Uint32Array(this.#values.length * 2);
    grown.set(this.#values);
    this.#values = grown;
  }

  /** All of them, where they are kept. */
  get values(): Uint32Array {
    return this.#values.subarray(0, this.length);
  }

  /** Of those that are used again and again, one that is free. */
  static lend(): Numbers {
    return spare.pop() ?? new Numbers();
  }

  /** Nobody looks at its values any more. */
  giveBack(): void {
    this.length = 0;
    if (spare.length < most && this.#values.length <= kept) spare.push(this);
  }
}

const spare: Numbers[] = [];
const most = 16;
