// Memory for bodies on their way to the client, used again once they are sent. Allocating it anew for each read would have
// the garbage collector run for most of a download.

// Of a response's head, or of its frames, beside what was read.
const overhead = 256;
const sizes = [65_536 + overhead, 131_072 + overhead];
// Octets of blocks that wait for their next use, of each size.
const mostFree = 2 * 1024 ** 2;

const free: readonly Buffer<ArrayBuffer>[][] = sizes.map(() => []);
const owners = new WeakMap<ArrayBufferLike, Buffer<ArrayBuffer>>();

/** From here on a block is worth its callback. */
const large = 8_192;

const classOf = (length: number) => sizes.findIndex((size) => length <= size);

/** Room for `length` octets; goes to `releaseAfter` once written to. */
export function room(length: number): Buffer {
  const chosen = length < large ? -1 : classOf(length);
  if (chosen === -1) return Buffer.allocUnsafe(length);
  const reused = free[chosen]!.pop();
  if (reused) return reused;
  const block = Buffer.allocUnsafeSlow(sizes[chosen]!);
  owners.set(block.buffer, block);
  return block;
}

/**
 * What to call when octets in such room have been written, if anything. After a failed write the block is left to the
 * garbage collector: somebody may still be reading from it.
 */
export function releaseAfter(octets: Buffer): ((error?: Error | null) => void) | undefined {
  const block = octets.length < large ? undefined : owners.get(octets.buffer);
  if (!block) return undefined;
  return (error) => {
    if (error) return;
    const unused = free[classOf(block.length)]!;
    if (unused.length * block.length < mostFree) unused.push(block);
    // The garbage collector lets 64 MiB of such memory gather before it runs for its sake.
    else block.buffer.transfer(0);
  };
}

/**
 * What to call when octets that were read have been written: their memory is given back at once. Node.js allocates it anew
 * for each read of an accepted socket, and the garbage collector would run for most of an upload.
 */
export function freeAfter(octets: Buffer): ((error?: Error | null) => void) | undefined {
  const memory = octets.buffer;
  const whole = memory instanceof ArrayBuffer && memory.byteLength === octets.length;
  if (!whole || octets.length < large) return undefined;
  return (error) => {
    // After a failed write somebody may still be reading from it.
    if (!error) memory.transfer(0);
  };
}
