// Bytes as they come to whole lines.

// A line longer than this is cut: something that never ends its line must not fill the memory.
const longest = 256 * 1024;

export class Lines {
  readonly #take: (line: string) => void;
  #pieces: Buffer[] = [];
  #length = 0;

  constructor(take: (line: string) => void) {
    this.#take = take;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      this.#add(chunk.subarray(start, end));
      this.#emit();
      start = end + 1;
    }
    if (start < chunk.length) this.#add(chunk.subarray(start));
    if (this.#length > longest) this.#emit();
  }

  /** What came last without a newline is a line too. */
  end(): void {
    if (this.#length > 0) this.#emit();
  }

  #add(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  #emit(): void {
    const line = Buffer.concat(this.#pieces, this.#length).toString('utf8');
    this.#pieces = [];
    this.#length = 0;
    this.#take(line.endsWith('\r') ? line.slice(0, -1) : line);
  }
}
