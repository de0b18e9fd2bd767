// What makes load, and what it saw.

import type { Scratch } from '@outrigger/core/testing';

export type Target = {
  readonly port: number;
  /** False for the application without a proxy. */
  readonly secure: boolean;
  readonly directory: Scratch;
};

/** Seconds: load is up and even after the first, counted is the second, and it goes on a little longer than both. */
export type Span = { readonly warmUp: number; readonly counted: number };

/** Milliseconds to the whole answer, as far as the generator can tell. */
export type Latency = { readonly p50: number; readonly p99: number };

export type Load = (target: Target, span: Span) => Promise<Begun>;

/** A load whose span begins now. */
export type Begun = {
  /** Rejects with the output of the generator unless everything was answered as it should be. */
  readonly over: Promise<Latency | undefined>;
};

/** What our own generators print first, once all their connections are there. */
export const ready = 'ready\n';

/** Most generators count whole seconds. */
export const wholeSeconds = ({ warmUp, counted }: Span): number => Math.ceil(warmUp + counted) + 1;

export const schemeOf = ({ secure }: Target): string => (secure ? 'https' : 'http');

export function percentile(sorted: Float64Array, part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
