// What each role needs of a Pod, beyond its parameters. The amounts are measured with `pnpm bench footprint` and stand here only.

import type { Role } from '../manifest/toolkit.ts';

type Values = Readonly<Record<string, unknown>>;

export type Preset = {
  /** What names of ports begin with: at most 9 letters, since `<short>-admin` has at most 15. */
  readonly short: string;
  /** Where it listens unless its parameters say otherwise. */
  readonly adminPort: number;
  readonly requests: { readonly cpu: string; readonly memory: string };
  readonly limits: { readonly memory: string };
  /** Below this limit it does not do what it is for. */
  readonly leastMemory: string;
  /** Parameters that are asked of a sidecar anywhere, but have a natural value in a Pod. */
  readonly defaults?: Readonly<Record<string, string>>;
  /** A directory that must survive a restart of the container. */
  readonly state?: (values: Values) => { readonly path: string; readonly sizeLimit: string };
  /** Whether it must see processes of other containers. */
  readonly seesProcesses?: (values: Values) => boolean;
};

const amounts = { requests: { cpu: '10m', memory: '40Mi' }, limits: { memory: '96Mi' }, leastMemory: '64Mi' };

export const presets: Readonly<Record<Role, Preset>> = {
  proxy: { ...amounts, short: 'proxy', adminPort: 9401 },
  'log-shipper': {
    ...amounts,
    short: 'shipper',
    adminPort: 9402,
    defaults: { stateDirectory: '/state' },
    state: (values) => ({ path: String(values.stateDirectory), sizeLimit: stateSize(values) }),
  },
  adapter: { ...amounts, short: 'adapter', adminPort: 9403 },
  'git-sync': { ...amounts, short: 'git-sync', adminPort: 9404, seesProcesses: signals },
  'config-reloader': {
    ...amounts,
    short: 'reloader',
    adminPort: 9405,
    // What changed while it was killed and started again would be missed for ever.
    defaults: { notifyAtStart: 'true' },
    seesProcesses: signals,
  },
  monitor: { ...amounts, short: 'monitor', adminPort: 9400, seesProcesses: () => true },
};

/** Sidecars that users write, which keep the same contract. */
export const otherPreset: Preset = { ...amounts, short: 'admin', adminPort: 9410 };

const mebibyte = 1024 * 1024;

/** A Pod is evicted when the volume is larger: room for all that may be queued, and for what is noted about files. */
function stateSize({ queueLimit, deadLetterLimit }: Values): string {
  const bytes = Number(queueLimit ?? 0) + Number(deadLetterLimit ?? 0);
  return `${Math.ceil(bytes / mebibyte) + 16}Mi`;
}

function signals({ notify }: Values): boolean {
  return [notify].flat().some((each) => (each as { readonly name?: unknown } | undefined)?.name === 'signal');
}
