// Probes as health checks. An engine asks by a program inside the container, and goes on asking at the same pace for ever.

import {
  type ContainerEntry,
  type ContainerKind,
  type Probe,
  type ProbeKind,
  probeOf,
} from '../../manifest/containers.ts';

type Asked = { readonly kind: ProbeKind; readonly probe: Probe };

/** What starts after a sidecar waits for the startup probe, of an application only users see the state. */
const order: Readonly<Record<ContainerKind, readonly ProbeKind[]>> = {
  init: [],
  sidecar: ['startup', 'readiness', 'liveness'],
  app: ['readiness', 'liveness', 'startup'],
};

function probeFor({ kind, container }: ContainerEntry): Asked | undefined {
  const [first] = order[kind].flatMap((each) => {
    const probe = probeOf(container, each);
    return probe ? [{ kind: each, probe }] : [];
  });
  return first;
}

const words: Readonly<Record<ProbeKind, string>> = { startup: 'startup', liveness: 'live', readiness: 'ready' };

export function healthcheckOf(entry: ContainerEntry, notes: string[]): Record<string, unknown> | undefined {
  const asked = probeFor(entry);
  if (!asked) return undefined;
  const command = commandOf(entry, asked);
  if (!command) {
    notes.push(`${entry.name}: ${asked.kind}Probe is left out: it needs a program inside the container, use exec`);
    return undefined;
  }
  const { initialDelaySeconds = 0, periodSeconds = 10, timeoutSeconds = 1, failureThreshold = 3 } = asked.probe;
  // A process is started each time: not every second, and it may take a while.
  const [interval, timeout] = [Math.max(periodSeconds, 5), Math.max(timeoutSeconds, 5)];
  return {
    test: ['CMD', ...command],
    interval: `${interval}s`,
    timeout: `${timeout}s`,
    retries: Math.max(1, Math.ceil((periodSeconds * failureThreshold) / interval)),
    ...(initialDelaySeconds > 0 && { start_period: `${initialDelaySeconds}s` }),
  };
}

function commandOf({ role, container }: ContainerEntry, { kind, probe }: Asked): string[] | undefined {
  if (probe.exec) return [...(probe.exec.command ?? [])];
  if (!role) return undefined;
  return ['sidecar', 'health', words[kind], ...adminFlags([...(container.args ?? [])])];
}

/** The words of the program read its environment, but not the flags that the container was started with. */
function adminFlags(args: readonly string[]): string[] {
  return args.flatMap((word, index) => {
    if (/^--(admin-address|config)=/.test(word)) return [word];
    return /^--(admin-address|config)$/.test(word) ? [word, args[index + 1] ?? ''] : [];
  });
}

const asksByCommand = (entry: ContainerEntry) => {
  const asked = probeFor(entry);
  return asked !== undefined && commandOf(entry, asked) !== undefined;
};

/** What a container of a kind waits for before it starts after another. */
export function conditionOf(before: ContainerEntry, kind: ContainerKind): string {
  if (before.kind === 'init') return 'service_completed_successfully';
  // One sidecar after the other would take an interval each.
  return kind !== 'sidecar' && asksByCommand(before) ? 'service_healthy' : 'service_started';
}
