// The last words of a failed container, where the kubelet looks for them.

import { closeSync, constants, openSync, writeSync } from 'node:fs';

// The kubelet reads no more.
const limit = 4096;

/** Writes to the file if it exists. Having nowhere to leave a message must not change how the process ends. */
export function leaveTerminationMessage(file: string | undefined, message: string): void {
  if (!file || !message) return;
  try {
    const descriptor = openSync(file, constants.O_WRONLY | constants.O_TRUNC);
    writeSync(descriptor, Buffer.from(`${message}\n`).subarray(0, limit));
    closeSync(descriptor);
  } catch {
    return;
  }
}
