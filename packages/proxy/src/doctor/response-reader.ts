// One response, read as strictly as the proxy reads it.

import { Body } from '../http/body.ts';
import { NO_LENGTH } from '../http/framing.ts';
import type { Refusal } from '../http/refusal.ts';
import { ResponseHead } from '../http/response-head.ts';

const mostHead = 65_536;
/** As much of a body as is looked at. */
const mostText = 1024;

export type Response = {
  readonly status: number;
  readonly version: '1.0' | '1.1';
  readonly framing: 'length' | 'chunked' | 'until-close' | 'none';
  /** It says that the connection may carry another request. */
  readonly keeps: boolean;
  /** The head as it came. */
  readonly head: string;
  /** The beginning of the body. */
  readonly text: string;
};

export class ResponseReader {
  readonly #method: string;
  readonly #head = new ResponseHead();
  #body: Body | undefined;
  #response: Response | undefined;
  /** Status codes of the interim responses. */
  readonly interims: number[] = [];
  refusal: Refusal | undefined;

  constructor(method: string) {
    this.#method = method;
  }

  /** The final response once it is there whole. */
  get response(): Response | undefined {
    return this.#body?.done ? this.#response : undefined;
  }

  /** Its head is there. */
  get begun(): boolean {
    return this.#response !== undefined;
  }

  /** The connection has ended. */
  end(): void {
    if (this.#body?.endsWithoutFrame) this.#body.end();
  }

  /** Reads what came; returns what is left of it. */
  read(octets: Buffer): Buffer {
    let rest = octets;
    while (rest.length > 0 && !this.#body) {
      const after = this.#head.read(rest, 0, { end: rest.length, most: mostHead });
      if (after < 0) this.refusal = this.#head.refusal;
      if (after <= 0) return rest;
      this.#begin(rest.toString('latin1', 0, after));
      rest = rest.subarray(after);
    }
    return this.#body && !this.#body.done && rest.length > 0 ? this.#readBody(this.#body, rest) : rest;
  }

  #begin(text: string): void {
    const { status, minor, framing, keepsAlive, isInterim } = this.#head;
    if (isInterim) {
      this.interims.push(status);
      return;
    }
    const bodiless = this.#method === 'HEAD' || status === 101 || status === 204 || status === 304;
    const [body, kind] = bodiless ? ([Body.ofLength(0), 'none'] as const) : bodyOf(framing);
    this.#body = body;
    const keeps = keepsAlive && kind !== 'until-close';
    this.#response = { status, version: minor === 0 ? '1.0' : '1.1', framing: kind, keeps, head: text, text: '' };
  }

  #readBody(body: Body, octets: Buffer): Buffer {
    const after = body.read(octets, 0, octets.length);
    this.refusal = body.refusal;
    if (after < 0) return octets;
    const { text } = this.#response!;
    const more = octets.toString('latin1', 0, Math.min(after, mostText));
    this.#response = { ...this.#response!, text: `${text}${more}`.slice(0, mostText) };
    return octets.subarray(after);
  }
}

function bodyOf({ length, chunked }: ResponseHead['framing']): readonly [Body, Response['framing']] {
  if (chunked) return [Body.chunked(), 'chunked'];
  return length === NO_LENGTH ? [Body.untilEnd(), 'until-close'] : [Body.ofLength(length), 'length'];
}
