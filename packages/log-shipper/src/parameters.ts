import { boolean, choice, duration, family, integer, map, path, size, text } from '@outrigger/core';
import { languageNames } from './join/index.ts';
import { parsers } from './parser/index.ts';
import { sinks } from './sink/index.ts';
import { sources } from './source/index.ts';
import { timeFormats } from './time/time.ts';
import { transforms } from './transform/index.ts';

/** What becomes of lines on their way to a sink. */
const pipeline = {
  lineLimit: size({
    default: '1MiB',
    min: '16B',
    max: '4MiB',
    help: 'Longest record; a longer line is shipped in pieces, all but the last of which have partial: true',
  }),
  stripCarriageReturn: boolean({
    default: 'false',
    help: 'Whether a carriage return before the newline belongs to the end of the line, as Windows has it',
  }),
  parser: family(parsers, { repeatable: false, default: ['raw'], help: 'What a line is' }),
  multiline: choice(['none', ...languageNames], {
    default: 'none',
    help: 'Makes one record of the lines of a stack trace, as this language prints them',
  }),
  multilineStart: text({ optional: true, help: 'Pattern of a line that begins a record; the others continue it' }),
  multilineContinuation: text({ optional: true, help: 'Pattern of a line that continues the record before it' }),
  multilineLines: integer({ default: '1000', min: 2, help: 'Most lines of one record' }),
  joinTimeout: duration({
    default: '2s',
    min: '10ms',
    help: 'How long what belongs to a record is waited for: further lines, pieces of a container log',
  }),
  timeField: text({ optional: true, help: 'Field that says when it was; by default the one that the parser knows' }),
  timeFormat: text({
    default: 'auto',
    help: `How it says so: ${timeFormats.join(', ')}, or a format such as %Y-%m-%d %H:%M:%S.%L`,
  }),
  timeZone: text({ default: 'UTC', help: 'Zone of times that do not say theirs, such as Europe/Berlin' }),
  levelField: text({
    optional: true,
    help: 'Field that says how severe it is; by default the one that the parser knows',
  }),
  lineField: text({ default: 'log', help: 'Field that holds the line where no parser made fields of it' }),
  transform: family(transforms, {
    default: [],
    repeatable: true,
    help: 'What is done to records, in this order, but for redact, which comes before all that looks at them',
  }),
  route: map(text, {
    default: [],
    help: 'Which records a sink gets, such as datadog=level>=warn; without, all of them',
  }),
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
  source: family(sources, { repeatable: true, default: ['file'], help: 'Where lines come from' }),
  ...sampled,
  queueLimit: size({
    default: '256MiB',
    min: '4MiB',
    help: 'Room in the state directory for what sources that are pushed to were given and sinks have not taken yet',
  }),
  whenQueueFull: choice(['block', 'drop-oldest', 'drop-by-level'], {
    default: 'block',
    help: 'Without room senders wait, or the oldest records go, or first those below --queue-keep-level',
  }),
  queueKeepLevel: choice(['debug', 'info', 'warn', 'error'], {
    default: 'warn',
    help: 'With drop-by-level: the level from which on records are kept for as long as possible',
  }),
  queueSync: choice(['always', 'interval', 'never'], {
    default: 'interval',
    help: 'When what was taken survives a power cut: at once, after half a second, when the kernel sees fit',
  }),
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
    writes: true,
    help: 'Directory that remembers what was acknowledged; must survive a restart of the container',
    example: '/var/lib/outrigger',
  }),
};
