// What was seen, as metrics.

import type { Instruments } from '@outrigger/core';
import type { Container, Snapshot } from './attribute.ts';
import { type SidecarHealth, states } from './judge.ts';
import type { metrics } from './metrics.ts';

type Metrics = Instruments<typeof metrics>;

// No Pod has so many containers: names that a process made up are counted together.
const containersNamed = 64;

export function recordSnapshot(metrics: Metrics, { took, shared, containers }: Snapshot): void {
  metrics.samples.inc({ outcome: 'taken' });
  metrics.sampleDuration.observe(took / 1000);
  metrics.sharedProcessNamespace.set(shared ? 1 : 0);
  // The series of a container that has gone must go too, so all are set anew. Its total is remembered elsewhere, and the
  // counter goes on from there when a container of that name is back.
  metrics.containerProcesses.reset();
  metrics.containerMemory.reset();
  metrics.containerCpu.reset();
  for (const [index, container] of containers.entries()) {
    const labels = { container: labelOf(container, index) };
    metrics.containerProcesses.inc(labels, container.processes);
    metrics.containerMemory.inc(labels, container.memory);
    metrics.containerCpu.inc(labels, container.cpuSeconds);
  }
}

const labelOf = ({ name }: Container, index: number) => (index < containersNamed ? name || 'unknown' : 'other');

export function recordHealth(metrics: Metrics, { name, state }: SidecarHealth): void {
  for (const each of states) metrics.sidecarState.set({ sidecar: name, state: each }, each === state ? 1 : 0);
}
