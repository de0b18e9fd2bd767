// What a condition sees of the records of a chunk: one view that is moved from record to record.

import type { RecordView } from '../condition/condition.ts';
import type { Records } from '../records.ts';
import { fieldOf } from './fields.ts';

export class ViewOf implements RecordView {
  readonly #records: Records;
  index = 0;

  constructor(records: Records) {
    this.#records = records;
  }

  get level(): number {
    return this.#records.level(this.index);
  }

  get tag(): string | undefined {
    return this.#records.tags?.[this.index];
  }

  get stream(): string | undefined {
    const stream = fieldOf(this.#records, this.index, ['stream']);
    return typeof stream === 'string' ? stream : undefined;
  }

  get path(): string {
    return this.#records.chunk.path;
  }

  get line(): string {
    return this.#records.line(this.index).toString();
  }

  readonly field = (names: readonly string[]): unknown => fieldOf(this.#records, this.index, names);
}
