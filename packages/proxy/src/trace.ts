// W3C trace context: a traceparent for requests that came without one.

import { randomFillSync } from 'node:crypto';
import { kinds } from './http/field-kind.ts';
import type { RequestHead } from './http/request-head.ts';

// Random octets are taken in advance: asking for 24 at a time costs more than the rest of the line.
const pool = Buffer.allocUnsafeSlow(24 * 256);
let used = pool.length;

/** `00-<32 hex>-<16 hex>-00`. Not sampled: that is for whoever records it to decide. */
export function makeTraceparent(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const trace = pool.toString('hex', used, used + 16);
  const span = pool.toString('hex', used + 16, used + 24);
  used += 24;
  return `00-${trace}-${span}-00`;
}

/** Whether the request has one, and only one, that can be passed on as it is. */
export function isTraced(buffer: Buffer, { fields }: RequestHead): boolean {
  const kind = fields.kind.subarray(0, fields.count);
  const at = kind.indexOf(kinds.traceparent);
  if (at < 0 || kind.lastIndexOf(kinds.traceparent) !== at) return false;
  return isTraceparent(buffer.toString('latin1', fields.valueStart[at]!, fields.valueEnd[at]!));
}

// A later version may go on after the flags; identifiers of zeros are none.
const isTraceparent = (value: string): boolean =>
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/.test(value) &&
  (value.length === 55 || !value.startsWith('00'));
