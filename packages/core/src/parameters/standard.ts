// What every sidecar has beside its own parameters.

import { address, choice, duration, path, secret } from './kinds.ts';
import type { Values } from './parameter.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const;

/** @param port the role's own admin port: containers of a Pod share their ports. */
export const standardParameters = (port: number) => ({
  config: path({ optional: true, help: 'YAML or JSON file with parameters, read again when it changes' }),
  podInfoDirectory: path({
    optional: true,
    access: 'directory',
    help: 'downwardAPI volume whose file annotations may hold parameters, as outrigger.dev/<role>.log-level: debug',
  }),
  adminAddress: address({ default: `0.0.0.0:${port}`, help: 'Where probes, metrics and the API are served' }),
  adminToken: secret({
    optional: true,
    help: 'Bearer token without which the API changes nothing; while unset, changes are accepted from loopback',
  }),
  logLevel: choice(logLevels, { default: 'info', reloadable: true, help: 'Least severe level that is logged' }),
  logFormat: choice(['json', 'pretty'], { default: 'json', help: 'One JSON line per event, or text for people' }),
  drainTimeout: duration({ default: '20s', help: 'How long stopping may take after SIGTERM; exit code 75 beyond it' }),
  eventLoopLimit: duration({
    default: '5s',
    reloadable: true,
    help: 'How long the event loop may be held up before /livez fails for a few seconds; 0 for any time',
  }),
  terminationMessageFile: path({
    default: '/dev/termination-log',
    help: 'Where the reason of a failure is left for the kubelet, if the file exists',
  }),
});

export type StandardParameters = ReturnType<typeof standardParameters>;
export type StandardValues = Values<StandardParameters>;

/** Words that stand alone on the command line. They are not parameters: they make the program print and end. */
export const actions = {
  check: 'Test the parameters and what they name, then exit 0 or 64',
  'print-config': 'Print the effective parameters and where each came from',
  'json-schema': 'Print the JSON Schema of the config file',
  openapi: 'Print the OpenAPI description of the API',
  help: 'Print this',
  version: 'Print the version',
} as const;

export type Action = keyof typeof actions;

export const words = {
  prestop: 'Tell the running sidecar that the Pod is going (for the preStop hook)',
  'health live|ready|startup': 'Ask the running sidecar, exit 0 or 1 (for probes by command)',
} as const;
