// The declaration of a sidecar: data, and one function that wires its stages.

import type { Routes } from './admin/route.ts';
import type { Catalogue, ErrorDeclarations } from './errors.ts';
import type { Events } from './events.ts';
import type { Health } from './health.ts';
import type { Log } from './log.ts';
import type { Memory } from './memory.ts';
import type { Instruments, MetricDeclarations, MetricFamily } from './metrics.ts';
import type { Parameters, Values } from './parameters/parameter.ts';
import type { Problem } from './parameters/problem.ts';
import type { StandardValues } from './parameters/standard.ts';
import type { Stages } from './stages.ts';
import type { Supervision, Task } from './tasks.ts';

/** What start receives. */
export type Context<P extends Parameters, M extends MetricDeclarations = MetricDeclarations> = {
  /** Live: a reloadable parameter changes in place, so read it where it is used. */
  readonly parameters: Values<P> & StandardValues;
  /** Why the parameters that are given now were refused and earlier ones stay; empty when they are in force. */
  readonly refusedParameters: () => readonly Problem[];
  readonly metrics: Instruments<M>;
  readonly health: Health;
  readonly log: Log;
  readonly events: Events;
  /** The Pod is going (prestop, or SIGTERM): refuse new inbound work softly, keep the rest alive. */
  readonly leaving: AbortSignal;
  /** Nobody needs this sidecar any more (SIGTERM): producers stop now. */
  readonly signal: AbortSignal;
  /** Stopped in reverse after SIGTERM: what is added first (consumers) stops last. */
  readonly stack: Stages;
  /**
   * Runs work in the background until `signal` aborts. A crash is logged, counted in outrigger_task_failures_total and
   * followed by another start after a growing wait or, with `restart: 'fail'`, by the end of the sidecar.
   */
  readonly supervise: (name: string, task: Task, supervision?: Supervision) => void;
  /** What the container may use, and whether to take on more. */
  readonly memory: Memory;
  /** This sidecar has done what it was for: stops as after SIGTERM. */
  readonly stop: () => void;
  /** This process cannot go on: it logs, disposes and exits 1. */
  readonly fail: (error: unknown) => void;
};

/** What `sidecar <word> --flags` does instead of running: one thing, and then it ends. */
export type Word<P extends Parameters = Parameters> = {
  /** One sentence, no full stop. */
  readonly summary: string;
  /**
   * Those that the sidecar has by the same names are read from wherever it reads them, so that a word beside it knows what it
   * knows. The others are given as flags alone: environment and config file speak to the sidecar.
   */
  readonly parameters: P;
  /**
   * Imports by itself what only it needs, so that a sidecar that runs pays nothing for it. Returns the exit code. What it
   * throws is 1, or 64 for a ParameterProblem.
   */
  run(context: { readonly parameters: Values<P> }): number | Promise<number>;
};

/** The parameters of each word. */
type WordParameters = Readonly<Record<string, Parameters>>;

export type Sidecar<
  P extends Parameters = Parameters,
  M extends MetricDeclarations = MetricDeclarations,
  S = unknown,
  W extends WordParameters = WordParameters,
> = {
  /** Kebab-case; becomes part of metric names. */
  readonly name: string;
  /** One sentence, no full stop. */
  readonly summary: string;
  readonly version: string;
  /** Default port of the admin listener; sidecars that users write start at 9410. */
  readonly port?: number;
  readonly parameters: P;
  readonly metrics?: M;
  readonly errors?: Catalogue<ErrorDeclarations>;
  readonly routes?: Routes<S>;
  /** Its own words beside `prestop` and `health`: `sidecar doctor --target http://127.0.0.1:8080`. */
  readonly words?: { readonly [K in keyof W]: Word<W[K]> };
  /**
   * Tests what the parameters name: files that must parse, certificates that must match. Runs for --check and before
   * start; each problem is reported like any wrong parameter. A warning (`--a, --b: no effect`) keeps nothing from
   * starting: --check prints it, and it is logged at the start and whenever the parameters are read again.
   */
  check?(context: {
    readonly parameters: Values<P> & StandardValues;
    readonly problem: (parameter: keyof P & string, message: string) => void;
    readonly warning: (parameters: readonly (keyof P & string)[], message: string) => void;
  }): void | Promise<void>;
  /** Wires the stages, consumers first. Must not wait for the application. What it returns is what routes see. */
  start(context: Context<P, M>): S | Promise<S>;
  /** What it is doing now, for GET /v1/status. */
  status?(state: S): object;
  /** Foreign series to show at /metrics. */
  collect?(state: S): readonly MetricFamily[] | Promise<readonly MetricFamily[]>;
};

// biome-ignore-start lint/suspicious/noExplicitAny: a sidecar's functions take its own types, which have no common supertype
/** Any sidecar, whatever it declares. */
export type AnySidecar = Omit<Sidecar, 'routes' | 'check' | 'start' | 'status' | 'collect'> & {
  readonly routes?: Routes<any>;
  check?(context: any): void | Promise<void>;
  start(context: any): unknown;
  status?(state: any): object;
  collect?(state: any): readonly MetricFamily[] | Promise<readonly MetricFamily[]>;
};
// biome-ignore-end lint/suspicious/noExplicitAny: as above

/** Gives the declaration its types. `await run(defineSidecar({...}))` is a whole sidecar. */
export const defineSidecar = <P extends Parameters, M extends MetricDeclarations, S, W extends WordParameters>(
  sidecar: Sidecar<P, M, S, W>,
): Sidecar<P, M, S, W> => sidecar;
