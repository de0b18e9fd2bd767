// From a chunk to records that are ready to be encoded: frame, parse, transform.

import { ParameterProblem, reasonOf, type Values } from '@outrigger/core';
import type { Condition } from './condition/condition.ts';
import { parseCondition } from './condition/parse-condition.ts';
import { type Extract, extractor } from './extract.ts';
import { frame } from './frame.ts';
import type { From } from './intake.ts';
import { type Join, type Joined, joinOf, Stream } from './join/index.ts';
import type { PipelineParameters } from './parameters.ts';
import { parse } from './parse.ts';
import type { Parser } from './parser/parser.ts';
import { syslog } from './parser/syslog.ts';
import { Records } from './records.ts';
import { settle, unsettle } from './settled.ts';
import { severityOfBytes } from './severity.ts';
import type { Chunk, SourceMember } from './source/source.ts';
import { timeReader } from './time/time.ts';
import { zoneOf } from './time/zone.ts';
import type { Sought } from './transcode/sought.ts';
import type { Transform, TransformContext } from './transform/transform.ts';
import { ViewOf } from './transform/view.ts';

type Given = Values<PipelineParameters>;

/** What one kind of line becomes. */
type Reading = {
  readonly parser: Parser;
  /** Whether somebody has to see fields: otherwise JSON stays bytes. */
  readonly seen: boolean;
  /** Of lines that stay bytes, and of those that do not. */
  readonly sought: Sought | undefined;
  readonly extract: Extract | undefined;
};

export class Pipeline {
  readonly #given: Given;
  readonly #reading: Reading;
  readonly #joins: ReadonlyMap<Chunk['wrapping'], Join | undefined>;
  readonly #transforms: readonly Transform[];
  readonly #route: Condition | undefined;
  #syslog: Reading | undefined;

  /** @param sink whose route is to be taken. Throws for a pattern, a format or a zone that cannot be used. */
  static async open(given: Given, context: TransformContext, sink?: string): Promise<Pipeline> {
    const transforms: Transform[] = [];
    for (const { member, parameters } of given.transform.toSorted((a, b) => turnOf(a.name) - turnOf(b.name))) {
      member.check?.(parameters);
      transforms.push(await member.open(parameters, context));
    }
    const route = sink === undefined ? undefined : given.route[sink];
    return new Pipeline(given, transforms, route === undefined ? undefined : parseCondition(route));
  }

  private constructor(given: Given, transforms: readonly Transform[], route: Condition | undefined) {
    this.#given = given;
    this.#transforms = transforms;
    this.#route = route;
    this.#reading = this.#readingBy(given.parser.member.open(given.parser.parameters));
    const wrappings = ['cri', 'docker', undefined] as const;
    const [multiline, stripReturn] = [severalOf(given), given.stripCarriageReturn];
    this.#joins = new Map(wrappings.map((envelope) => [envelope, joinOf({ envelope, multiline, stripReturn })]));
  }

  /** What a chunk holds. */
  records(chunk: Chunk): Records {
    const records = chunk.settled ? unsettle(chunk) : this.#framed(chunk);
    if (!chunk.settled) this.#finish(records, this.#reading);
    if (this.#route) route(records, this.#route);
    return records;
  }

  /** What sources that push were given, as it goes to the disk. */
  settle(records: Records, { parser }: From): Buffer {
    if (parser === 'syslog') this.#syslog ??= this.#readingBy(syslog.open({}));
    this.#finish(records, parser === 'syslog' ? this.#syslog! : this.#reading);
    return settle(records);
  }

  #framed(chunk: Chunk): Records {
    const { lineLimit, joinTimeout, stripCarriageReturn: stripReturn } = this.#given;
    const join = this.#joins.get(chunk.wrapping);
    if (!join) return frame(chunk, { limit: lineLimit, stripReturn });
    return recordsOf(chunk, join(chunk, { record: lineLimit, timeout: joinTimeout }));
  }

  #finish(records: Records, { parser, seen, sought, extract }: Reading): void {
    records.lineField = this.#given.lineField;
    if (!records.fields) parse(records, parser, seen);
    records.sought = sought;
    extract?.(records);
    this.#add(records);
    for (const transform of this.#transforms) {
      if (transform.needs === 'fields') records.materialise();
      transform.apply(records);
    }
  }

  /** The fields that were asked for, and the file it came from. */
  #add(records: Records): void {
    const { fields, pathField } = this.#given;
    const path = pathField === undefined ? {} : { [pathField]: records.chunk.path };
    records.common = { ...records.common, ...records.chunk.fields, ...path, ...fields };
  }

  #readingBy(parser: Parser): Reading {
    const { timeField = parser.timeField, levelField = parser.levelField, timeFormat, timeZone } = this.#given;
    // What lies deeper is not seen in passing.
    const deep = [timeField, levelField].some((name) => name?.includes('.'));
    const seen = deep || [...this.#transforms, this.#route].some((each) => each?.needs === 'fields');
    if (timeField === undefined && levelField === undefined)
      return { parser, seen, sought: undefined, extract: undefined };
    const times = timeField === undefined ? undefined : timeReader(timeFormat, zoneOf(timeZone));
    return {
      parser,
      seen,
      extract: extractor({ timeField, levelField, timeFormat, timeZone }),
      sought: {
        ...(times && { timeField, readTime: times.read, readsRfc3339: times.readsRfc3339 }),
        ...(levelField !== undefined && { levelField, readLevel: severityOfBytes }),
      },
    };
  }
}

/** Secrets are gone before anybody looks at a record, and what is only added may hold some. */
const turnOf = (transform: string): number =>
  transform === 'add' || transform === 'kubernetes' ? 0 : transform === 'redact' ? 1 : 2;

/** What a sink is not to have is accounted for all the same. */
function route(records: Records, condition: Condition): void {
  if (condition.needs === 'fields') records.materialise();
  const view = new ViewOf(records);
  for (; view.index < records.count; view.index++) if (!condition.holds(view)) records.drop(view.index, 'route');
}

/** What cannot be used of what was given, each by itself. */
export function checkPipeline(
  given: Given,
  sinks: readonly string[],
  problem: (parameter: keyof Given & string, message: string) => void,
): void {
  const attempt = (parameter: keyof Given & string, use: () => unknown) => {
    try {
      use();
    } catch (error) {
      // A member's own parameters are none of ours by type.
      problem(error instanceof ParameterProblem ? (error.key as typeof parameter) : parameter, reasonOf(error));
    }
  };
  for (const { member, parameters } of given.transform) attempt('transform', () => member.check?.(parameters));
  const { multilineStart: start, multilineContinuation: continuation, multilineLines: lines } = given;
  if (start !== undefined) attempt('multilineStart', () => joinOf({ multiline: { start, lines } }));
  if (continuation !== undefined)
    attempt('multilineContinuation', () => joinOf({ multiline: { continuation, lines } }));
  const ways = { multiline: given.multiline !== 'none', multilineStart: start, multilineContinuation: continuation };
  const [, second] = Object.entries(ways).filter(([, value]) => value);
  if (second)
    problem(
      second[0] as keyof typeof ways,
      'only one of multiline, multilineStart and multilineContinuation is expected',
    );
  attempt('timeFormat', () => timeReader(given.timeFormat));
  attempt('timeZone', () => zoneOf(given.timeZone));
  for (const [sink, condition] of Object.entries(given.route)) {
    if (!sinks.includes(sink)) problem('route', `there is no sink ${sink}, but ${sinks.join(', ')}`);
    attempt('route', () => parseCondition(condition));
  }
}

function severalOf(given: Given) {
  const { multiline, multilineStart: start, multilineContinuation: continuation, multilineLines: lines } = given;
  if (multiline !== 'none') return { language: multiline, lines };
  if (start !== undefined) return { start, lines };
  return continuation === undefined ? undefined : { continuation, lines };
}

/** Whether a record of a source may wait for its end. */
export const holds = (given: Given, source: SourceMember): boolean =>
  severalOf(given) !== undefined || source.wraps === true;

function recordsOf(chunk: Chunk, joined: Joined): Records {
  const { bytes, spans, ends, starts, length, partial, errors, times, streams, free } = joined;
  chunk.take(length);
  const records = new Records({ chunk, bytes, spans, ends, starts, length, free });
  records.times = times;
  records.pieces = partial.size;
  for (const index of partial) records.own.set(index, { partial: true });
  for (const [index, reason] of errors) records.excuse(index, reason);
  if (streams) nameStreams(records, streams);
  return records;
}

/** Nearly all lines of a container come from one stream: only what comes from the other says so by itself. */
function nameStreams(records: Records, streams: NonNullable<Joined['streams']>): void {
  const usual = streams.find((stream) => stream !== Stream.unknown);
  if (usual === undefined) return;
  // A line without an envelope comes from nobody knows where.
  const all = !streams.includes(Stream.unknown);
  if (all) records.common = { stream: nameOf(usual) };
  if (streams.every((stream) => stream === usual)) return;
  for (const [index, stream] of streams.entries())
    if (stream !== Stream.unknown && !(all && stream === usual))
      records.own.set(index, { ...records.own.get(index), stream: nameOf(stream) });
}

const nameOf = (stream: number) => (stream === Stream.stdout ? 'stdout' : 'stderr');
