import { choice, duration, family, map, path, size, text } from '@outrigger/core';
import { parsers } from './parser/index.ts';
import { sinks } from './sink/index.ts';
import { sources } from './source/index.ts';

/** What becomes of lines on their way to a sink. */
const pipeline = {
  lineLimit: size({
    default: '1MiB',
    min: '16B',
    max: '4MiB',
    help: 'Longest record; a longer line is shipped in pieces, all but the last of which have partial: true',
  }),
  parser: family(parsers, { repeatable: false, default: ['raw'], help: 'What a line is' }),
  lineField: text({ default: 'log', help: 'Field that holds the line where no parser made fields of it' }),
  fields: map(text, { default: [], help: 'Fields to add to every record, such as service=billing' }),
  pathField: text({ optional: true, help: 'Field to add to every record that holds the path of its file' }),
};

export type PipelineParameters = typeof pipeline;

const sink = {
  sink: family(sinks, { default: ['stdout'], repeatable: true, help: 'Where records go; each sink has its own pace' }),
  batchLimit: size({
    default: '1MiB',
    min: '1KiB',
    max: '4MiB',
    help: 'Largest batch sent at once, before it is acknowledged; receivers refuse very large ones',
  }),
  batchWait: duration({
    default: '50ms',
    help: 'How long a batch waits for more records while the sink is idle; what goes to this machine does not wait',
  }),
};

/** What a sample needs to become what a sink is given. */
export const sampled = { ...pipeline, ...sink };

export const parameters = {
  source: family(sources, { repeatable: false, default: ['file'], help: 'Where lines come from' }),
  ...sampled,
  deadLetterLimit: size({
    default: '64MiB',
    min: '1MiB',
    help: 'Room in the state directory for records that a receiver refuses for good',
  }),
  whenDeadLettersFull: choice(['block', 'drop-oldest'], {
    default: 'block',
    help: 'Without room for dead letters the sink waits, or the oldest letters go and are counted',
  }),
  stateDirectory: path({
    access: 'directory',
    help: 'Directory that remembers what was acknowledged; must survive a restart of the container',
    example: '/var/lib/outrigger',
  }),
};
