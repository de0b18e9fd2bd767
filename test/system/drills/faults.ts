// What can go wrong with a sidecar, each for some seconds, and what may be seen of it from outside.

import { pause } from '@outrigger/core';
import { type SidecarName, sidecars } from '@outrigger/example-billing/demo';
import type { DrillPod } from './pod.ts';

/** Does it, waits, and undoes it. */
type Harm = (pod: DrillPod, name: SidecarName) => Promise<void>;

export type Drill = {
  readonly sidecar: SidecarName;
  readonly fault: string;
  readonly harm: Harm;
  /** Clients ask through it: while it is away, or starts again, connections fail. */
  readonly mayFail?: boolean;
};

const during =
  (harm: Harm, undo: Harm, seconds = 3): Harm =>
  async (pod, name) => {
    await harm(pod, name);
    await pause(seconds * 1000);
    await undo(pod, name);
  };

/** As in the manifest. */
const memory = 96 * 2 ** 20;

const faults: Readonly<Record<string, Harm>> = {
  killed: (pod, name) => pod.signal(name, 'SIGKILL'),
  'stopped for 3 s': during(
    (pod, name) => pod.signal(name, 'SIGSTOP'),
    (pod, name) => pod.signal(name, 'SIGCONT'),
  ),
  '5 % of a processor for 3 s': during(
    (pod, name) => pod.limitProcessor(name, 0.05),
    (pod, name) => pod.limitProcessor(name),
  ),
  'no memory to spare for 3 s': during(
    (pod, name) => pod.limitMemory(name, 36 * 2 ** 20),
    (pod, name) => pod.limitMemory(name, memory),
  ),
  'its clock stands still for 3 s': during(
    (pod, name) => pod.freezeClock(name),
    (pod, name) => pod.releaseClock(name),
  ),
};

/** Who is killed takes along what it had accepted; who has no memory left refuses connections. */
const costly = new Set(['killed', 'no memory to spare for 3 s']);

type Rule = (pod: DrillPod) => readonly string[];

/** Packets that a rule matches get nowhere. */
const dropped = (rule: Rule, seconds?: number): Harm =>
  during(
    (pod) => pod.filter('--append', ...rule(pod)),
    (pod) => pod.filter('--delete', ...rule(pod)),
    seconds,
  );

const full = (volume: 'state' | 'content'): Harm =>
  during(
    (pod) => pod.fill(volume),
    (pod) => pod.empty(volume),
  );

const toReceiver: Rule = ({ receiver }) => ['--protocol', 'tcp', '--dport', String(receiver.port)];
const toApplication: Rule = () => ['--out-interface', 'lo', '--protocol', 'tcp', '--dport', '8080'];

export const drills: readonly Drill[] = [
  ...Object.entries(faults).flatMap(([fault, harm]) =>
    sidecars.map((sidecar) => ({ sidecar, fault, harm, mayFail: sidecar === 'proxy' && costly.has(fault) })),
  ),
  { sidecar: 'log-shipper', fault: 'no packet gets to the receiver for 3 s', harm: dropped(toReceiver) },
  // A connection that is not answered is tried again after 1, 3 and 7 seconds: a client waits for 5.
  { sidecar: 'proxy', fault: 'no packet gets to the application for 2 s', harm: dropped(toApplication, 2) },
  { sidecar: 'log-shipper', fault: 'no room for its state for 3 s', harm: full('state') },
  { sidecar: 'git-sync', fault: 'no room for its content for 3 s', harm: full('content') },
];
