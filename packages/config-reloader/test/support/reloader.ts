// The sidecar under test, as a real process.

import {
  type Endpoint,
  metricOf,
  type RunningSidecar,
  type StartOptions,
  startSidecar,
  until,
} from '@outrigger/core/testing';

type Options = StartOptions & {
  /** URL of another main.ts, one that starts the real one in its own way. */
  readonly main?: string;
};

export const startReloader = (
  args: readonly string[],
  { main = import.meta.resolve('../../src/main.ts'), ...options }: Options = {},
): Promise<RunningSidecar> => startSidecar(main, args, { ready: true, ...options });

/** Arguments to watch and to tell the endpoint. */
export const telling = ({ url }: Endpoint, watch: readonly string[], more: readonly string[] = []): string[] => [
  ...watch.flatMap((path) => ['--watch', path]),
  ...['--notify', 'http', '--notify-http-url', url],
  ...more,
];

export const startTelling = (endpoint: Endpoint, watch: readonly string[], more: readonly string[] = []) =>
  startReloader(telling(endpoint, watch, more));

export type Shown = {
  readonly generation: number;
  readonly hash: string;
  readonly state: string;
  readonly notified: string | null;
  readonly confirmed: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly notifiers: { readonly name: string; readonly attempts: number; readonly delivered: string | null }[];
};

/** The newest first. */
export const generationsOf = async (sidecar: RunningSidecar): Promise<Shown[]> =>
  (await (await sidecar.get('/v1/generations')).json()) as Shown[];

/** Waits until the newest generation is confirmed and returns it. */
export const confirmed = (sidecar: RunningSidecar, atLeast: number, deadline = 10_000): Promise<Shown> =>
  until(
    async () => {
      const [newest] = await generationsOf(sidecar);
      return newest && newest.generation >= atLeast && newest.confirmed ? newest : undefined;
    },
    { deadline, what: () => `generation ${atLeast} to be confirmed; the sidecar said:\n${sidecar.stderr}` },
  );

/** The value of one series of the role's own, 0 when it is not there. */
export const metric = (sidecar: RunningSidecar, series: string): Promise<number> =>
  metricOf(sidecar, `outrigger_config_reloader_${series}`);
