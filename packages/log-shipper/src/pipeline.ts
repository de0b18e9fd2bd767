// From a chunk to records that are ready to be encoded.

import type { Values } from '@outrigger/core';
import { frame } from './frame.ts';
import type { PipelineParameters } from './parameters.ts';
import { parse } from './parse.ts';
import type { Records } from './records.ts';
import type { Chunk } from './source/source.ts';
import { transform } from './transform.ts';

export type Pipeline = (chunk: Chunk) => Records;

export function openPipeline(parameters: Values<PipelineParameters>): Pipeline {
  const { lineLimit, lineField, parser: chosen } = parameters;
  const parser = chosen.member.open(chosen.parameters);
  return (chunk) => {
    const records = frame(chunk, lineLimit);
    records.lineField = lineField;
    parse(records, parser, false);
    transform(records, parameters);
    return records;
  };
}
