// The options of a Connection field: what ends with this hop.

import { COMMA, equalsIgnoringCase, HTAB, SP } from './octets.ts';
import { type Refusal, refusals } from './refusal.ts';

const closeWord = Buffer.from('close');
const keepAliveWord = Buffer.from('keep-alive');
const upgradeWord = Buffer.from('upgrade');

// Each name is compared with each field: thousands of them in one head would cost more time than all else about a request.
const mostNominated = 32;

export class ConnectionOptions {
  close = false;
  keepAlive = false;
  upgrade = false;
  /** Names of fields, in lower case, that the sender wants removed at this hop. */
  nominated: Buffer[] | undefined;

  reset(): void {
    this.close = false;
    this.keepAlive = false;
    this.upgrade = false;
    this.nominated = undefined;
  }

  /** Adds the options in buffer[start, end), a comma-separated list. */
  take(buffer: Uint8Array, start: number, end: number): Refusal | undefined {
    let at = start;
    while (at < end) {
      let stop = at;
      while (stop < end && buffer[stop] !== COMMA) stop++;
      let last = stop;
      while (at < last && isBlank(buffer[at]!)) at++;
      while (last > at && isBlank(buffer[last - 1]!)) last--;
      if (last > at) this.#takeOne(buffer, at, last);
      if (this.nominated !== undefined && this.nominated.length > mostNominated) return refusals.connectionOptions;
      at = stop + 1;
    }
    return undefined;
  }

  #takeOne(buffer: Uint8Array, start: number, end: number): void {
    if (equalsIgnoringCase(buffer, start, end, keepAliveWord)) this.keepAlive = true;
    else if (equalsIgnoringCase(buffer, start, end, closeWord)) this.close = true;
    else if (equalsIgnoringCase(buffer, start, end, upgradeWord)) this.upgrade = true;
    else {
      this.nominated ??= [];
      const name = Buffer.from(buffer.buffer, buffer.byteOffset + start, end - start).toString('latin1');
      this.nominated.push(Buffer.from(name.toLowerCase(), 'latin1'));
    }
  }

  /** Whether the field named buffer[start, end) is to go. */
  nominates(buffer: Uint8Array, start: number, end: number): boolean {
    return this.nominated?.some((name) => equalsIgnoringCase(buffer, start, end, name)) ?? false;
  }
}

const isBlank = (octet: number) => octet === SP || octet === HTAB;
