// Every rule. To add one: a file beside this one, and a line here.

import type { Rule } from '../rule.ts';
import { adminReach } from './admin-reach.ts';
import { annotations } from './annotations.ts';
import { containers } from './containers.ts';
import { controllers } from './controllers.ts';
import { hostPorts } from './host-ports.ts';
import { jobSidecars } from './job-sidecars.ts';
import { memory } from './memory.ts';
import { names } from './names.ts';
import { podSecurity } from './pod-security.ts';
import { ports } from './ports.ts';
import { probePorts } from './probe-ports.ts';
import { probeTargets } from './probe-targets.ts';
import { probes } from './probes.ts';
import { references } from './references.ts';
import { resources } from './resources.ts';
import { sharedProcesses } from './shared-processes.ts';
import { sidecarParameters } from './sidecar-parameters.ts';
import { signalUser } from './signal-user.ts';
import { startOrder } from './start-order.ts';
import { stopTime } from './stop-time.ts';
import { subPaths } from './sub-paths.ts';
import { volumes } from './volumes.ts';

export const rules: readonly Rule[] = [
  names,
  containers,
  controllers,
  annotations,
  volumes,
  references,
  probes,
  sidecarParameters,
  ports,
  hostPorts,
  memory,
  resources,
  probePorts,
  probeTargets,
  adminReach,
  startOrder,
  subPaths,
  sharedProcesses,
  signalUser,
  stopTime,
  podSecurity,
  jobSidecars,
];
