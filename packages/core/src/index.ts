// The door of @outrigger/core.

export { type Address, connectable, makeAddress, parseAddress } from './address.ts';
export { listen } from './admin/listener.ts';
export { problem } from './admin/problem.ts';
export { type Route, type Routes, replyRoute, route } from './admin/route.ts';
export type { Reply } from './admin/router.ts';
export { type Backoff, type BackoffOptions, backoff } from './backoff.ts';
export { type Attempt, Courier, type CourierOptions } from './courier.ts';
export { type Catalogue, defineErrors, type ErrorDeclarations, Fault, type Fields, reasonOf } from './errors.ts';
export { Events, type SidecarEvent } from './events.ts';
export { every, pause, wait } from './every.ts';
export { type Check, Health, type Latch, type Periodic } from './health.ts';
export { exitCodes } from './life.ts';
export { type Log, prettyLine } from './log.ts';
export type { Budget, Memory } from './memory.ts';
export {
  counter,
  gauge,
  histogram,
  type Instruments,
  type MetricDeclarations,
  type MetricFamily,
} from './metrics.ts';
export { parseAnnotations } from './parameters/annotations.ts';
export type { Change } from './parameters/changes.ts';
export { type Chosen, family, list, map } from './parameters/collections.ts';
export {
  address,
  boolean,
  choice,
  duration,
  integer,
  path,
  peersOf,
  secret,
  size,
  text,
  url,
} from './parameters/kinds.ts';
export { kebab } from './parameters/names.ts';
export { listed, nearest } from './parameters/nearest.ts';
export { nested } from './parameters/nested.ts';
export { allParameters } from './parameters/open-parameters.ts';
export type { Member, Options, Parameter, Parameters, Reading, Values } from './parameters/parameter.ts';
export {
  formatProblem,
  formatProblems,
  ParameterConflict,
  ParameterProblem,
  type Problem,
} from './parameters/problem.ts';
export { type Resolved, resolveParameters } from './parameters/resolve.ts';
export type { StandardParameters, StandardValues } from './parameters/standard.ts';
export { type Misplaced, nodeAt, parseStructure, type Structure } from './parameters/structure.ts';
export { findingsOf } from './parameters/structure-problems.ts';
export { formatDuration, formatSize, parseDuration, parseSize } from './parameters/units.ts';
export { endGroup, signalGroup, track } from './process-group.ts';
export { type PodProcess, ProcessTable, type ProcessUsage, ticksPerSecond } from './processes.ts';
export { type Program, type ProgramError, passedOn, runProgram } from './program.ts';
export { program, programProblem } from './program-parameter.ts';
export { publishFile, publishLink } from './publish.ts';
export { readText, reasonOfFile } from './read-file.ts';
export {
  heeding,
  parseRetryAfter,
  type Retry,
  RetryBudget,
  type RetryBudgetOptions,
  type RetryOptions,
  retry,
} from './retry.ts';
export { run } from './run.ts';
export { scriptOf } from './script-of.ts';
export { Secret } from './secret.ts';
export { type AnySidecar, type Context, defineSidecar, type Sidecar } from './sidecar.ts';
export { type StageOptions, Stages } from './stages.ts';
export type { Supervision, Task } from './tasks.ts';
