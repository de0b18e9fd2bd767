// Every rule, in the order of reports. To add one: a declaration in a file beside this one, and a line here.

import type { Rule } from '../rule.ts';
import * as api from './api.ts';
import * as container from './container.ts';
import * as leaves from './leaves.ts';
import * as load from './load.ts';
import * as log from './log.ts';
import * as parameters from './parameters.ts';
import * as starting from './starts.ts';
import * as stops from './stops.ts';

/** Put to the test first: of a sidecar that does not start, nothing else can be said. */
export const first = starting.starts;

export const rules: readonly Rule[] = [
  first,
  starting.startsAlone,
  starting.portInUse,
  starting.stdinClosed,
  stops.sigterm,
  stops.sigtermAsProcessOne,
  stops.sigtermBeforeReady,
  stops.secondSigterm,
  stops.openConnections,
  stops.shutdownRequest,
  stops.sighup,
  leaves.prestop,
  leaves.prestopTraffic,
  leaves.prestopThenSigterm,
  leaves.livezInDrain,
  starting.childLeft,
  container.readOnlyRoot,
  container.unknownUser,
  container.noCapabilities,
  container.memoryLimit,
  container.fullDisk,
  parameters.wrongAtOnce,
  parameters.unknownFlag,
  parameters.configSwap,
  parameters.wrongConfigSwap,
  parameters.secretRotation,
  parameters.secretShown,
  api.self,
  api.probes,
  api.metrics,
  api.openMetrics,
  api.openApi,
  api.getChangesNothing,
  api.foreignHost,
  api.foreignOrigin,
  api.unknownVersion,
  api.problemJson,
  load.concurrentProbes,
  load.slowHeaders,
  load.malformed,
  log.jsonLines,
];
