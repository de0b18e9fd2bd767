// Metrics declared as data; prom-client counts and renders them.

import {
  Counter,
  Gauge,
  Histogram,
  type OpenMetricsContentType,
  type PrometheusContentType,
  Registry,
} from 'prom-client';
import type { Budget } from './memory.ts';
import { snake } from './parameters/names.ts';

type Common = {
  readonly help: string;
  /** Base unit: seconds, bytes, ratio. Becomes part of the name. */
  readonly unit?: string;
};

export type MetricDeclaration<L extends string = string, T extends MetricType = MetricType> = Common & {
  readonly type: T;
  readonly labels: readonly L[];
  readonly buckets?: readonly number[];
};
type MetricType = 'counter' | 'gauge' | 'histogram';
export type MetricDeclarations = Readonly<Record<string, MetricDeclaration>>;

type Labelled<L extends string> = Common & { readonly labels?: readonly L[] };

const declare = <L extends string, T extends MetricType>(
  type: T,
  { labels = [], ...rest }: Labelled<L> & { readonly buckets?: readonly number[] },
): MetricDeclaration<L, T> => ({ ...rest, type, labels });

/** Only goes up; named `_total`. */
export const counter = <const L extends string = never>(options: Labelled<L>) => declare('counter', options);
/** Goes up and down. */
export const gauge = <const L extends string = never>(options: Labelled<L>) => declare('gauge', options);
/** Counts observations in buckets. */
export const histogram = <const L extends string = never>(
  options: Labelled<L> & { readonly buckets?: readonly number[] },
) => declare('histogram', options);

type InstrumentOf<D> =
  D extends MetricDeclaration<infer L, infer T>
    ? { counter: Counter<L>; gauge: Gauge<L>; histogram: Histogram<L> }[T]
    : never;
export type Instruments<M extends MetricDeclarations> = { readonly [K in keyof M]: InstrumentOf<M[K]> };

/** `outrigger_log_shipper_delivered_bytes_total` */
export function metricName(role: string, key: string, { unit, type }: MetricDeclaration): string {
  const parts = ['outrigger', snake(role), snake(key), unit, type === 'counter' ? 'total' : undefined];
  return parts.filter(Boolean).join('_');
}

/** A series from elsewhere, shown beside a sidecar's own. */
export type MetricFamily = {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'untyped';
  readonly help: string;
  readonly samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
};

export type Metrics<M extends MetricDeclarations> = {
  readonly instruments: Instruments<M>;
  /** Of every sidecar, for core's own use. */
  readonly standard: StandardMetrics;
  readonly registry: Registry;
};

/** Makes one instrument per declaration, and the series that every sidecar has. */
export function openMetrics<M extends MetricDeclarations>(role: string, declared: M, build: Build): Metrics<M> {
  const registry = new Registry();
  const instruments = Object.entries(declared).map(([key, metric]) => [
    key,
    instrument(metricName(role, key, metric), metric, registry),
  ]);
  processMetrics(registry);
  const standard = standardMetrics(role, build, registry);
  return { instruments: Object.fromEntries(instruments), standard, registry };
}

function instrument(name: string, { type, help, labels, buckets }: MetricDeclaration, registry: Registry) {
  const options = { name, help, labelNames: labels, registers: [registry] };
  if (type === 'counter') return new Counter(options);
  if (type === 'gauge') return new Gauge(options);
  return new Histogram({ ...options, ...(buckets && { buckets: [...buckets] }) });
}

export const phases = ['starting', 'serving', 'leaving', 'stopping'] as const;

type Build = {
  readonly version: string;
  readonly phase: () => string;
  readonly budget: () => Pick<Budget, 'limit' | 'used' | 'shedding'>;
  /** Seconds. */
  readonly loopDelay: () => number;
};

export type StandardMetrics = ReturnType<typeof standardMetrics>;

function standardMetrics(role: string, { version, phase, budget, loopDelay }: Build, registry: Registry) {
  const registers = [registry];
  new Gauge({
    name: 'outrigger_build_info',
    help: 'Always 1; the labels say what runs',
    labelNames: ['role', 'version', 'node'],
    registers,
  }).set({ role, version, node: process.versions.node }, 1);
  new Gauge({
    name: 'outrigger_phase',
    help: '1 for the phase the sidecar is in',
    labelNames: ['phase'],
    registers,
    collect() {
      for (const each of phases) this.set({ phase: each }, each === phase() ? 1 : 0);
    },
  });
  const asked = (name: string, help: string, value: () => number) =>
    new Gauge({
      name: `outrigger_${name}`,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  asked('memory_limit_bytes', 'What the container may use', () => budget().limit);
  asked('memory_used_bytes', 'What the container uses and cannot give back', () => budget().used);
  asked('event_loop_delay_seconds', 'Longest time since the last scrape that the event loop was held up', loopDelay);
  asked('memory_shedding', '1 while new work is refused for want of memory', () => (budget().shedding ? 1 : 0));
  const valid = new Gauge({
    name: 'outrigger_parameters_valid',
    help: '1 when the parameters that are given are in force, 0 while new ones are refused and the old ones stay',
    registers,
  });
  valid.set(1);
  return {
    taskFailures: new Counter({
      name: 'outrigger_task_failures_total',
      help: 'Crashes of background tasks',
      labelNames: ['task'],
      registers,
    }),
    parameterReloads: new Counter({
      name: 'outrigger_parameter_reloads_total',
      help: 'Times the parameters were read again, by result: unchanged, changed or refused',
      labelNames: ['result'],
      registers,
    }),
    parametersValid: valid,
    watcherMode: new Gauge({
      name: 'outrigger_watcher_mode',
      help: '1 for how changes of parameter files are noticed: by events of the kernel or by polling',
      labelNames: ['mode'],
      registers,
    }),
  };
}

function processMetrics(registry: Registry): void {
  const registers = [registry];
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time spent',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({ name: 'process_start_time_seconds', help: 'Start of the process since the epoch', registers }).set(
    Math.round(Date.now() / 1000 - process.uptime()),
  );
}

export type Format = { readonly contentType: string; readonly openMetrics: boolean };

/** OpenMetrics when the scraper asks for it, else Prometheus text. */
export function negotiate(accept: string | undefined): Format {
  return accept?.includes('application/openmetrics-text')
    ? { contentType: Registry.OPENMETRICS_CONTENT_TYPE, openMetrics: true }
    : { contentType: Registry.PROMETHEUS_CONTENT_TYPE, openMetrics: false };
}

/** The whole exposition: own series, then foreign ones. */
export async function expose(
  registry: Registry,
  families: readonly MetricFamily[],
  { contentType, openMetrics }: Format,
): Promise<string> {
  (registry as Registry<OpenMetricsContentType | PrometheusContentType>).setContentType(
    contentType as PrometheusContentType,
  );
  const own = (await registry.metrics()).replace(/# EOF\n?$/, '');
  const end = openMetrics ? '# EOF\n' : '';
  return `${own.trimEnd()}\n${families.map((family) => exposeFamily(family, openMetrics)).join('')}${end}`;
}

function exposeFamily({ name, type, help, samples }: MetricFamily, openMetrics: boolean): string {
  // OpenMetrics names a counter's family without `_total` and calls untyped `unknown`.
  const family = openMetrics && type === 'counter' ? name.replace(/_total$/, '') : name;
  const sample = openMetrics && type === 'counter' ? `${family}_total` : name;
  const typeName = openMetrics && type === 'untyped' ? 'unknown' : type;
  const escapedHelp = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  const lines = samples.map(({ labels, value }) => `${sample}${exposeLabels(labels)} ${exposeValue(value)}`);
  return `${[`# HELP ${family} ${openMetrics ? escapedHelp.replaceAll('"', '\\"') : escapedHelp}`, `# TYPE ${family} ${typeName}`, ...lines].join('\n')}\n`;
}

function exposeLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')}"`,
  );
  return pairs.length > 0 ? `{${pairs.join(',')}}` : '';
}

const exposeValue = (value: number) =>
  Number.isNaN(value)
    ? 'NaN'
    : value === Number.POSITIVE_INFINITY
      ? '+Inf'
      : value === Number.NEGATIVE_INFINITY
        ? '-Inf'
        : String(value);
