// What must hold before anything is started: a right manifest that this machine can run.

import { readFileSync } from 'node:fs';
import {
  applyRule,
  type CheckedWorkload,
  check,
  errorsOf,
  type Finding,
  inFileOrder,
  type Overrides,
} from '../check/check.ts';
import { formatFinding, summaryOf } from '../check/format.ts';
import { podSecurity } from '../check/rules/pod-security.ts';
import { containersOf } from '../manifest/containers.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { SidecarParameters } from '../manifest/parameters.ts';
import { portsOf, type UsedPort } from '../manifest/ports.ts';
import { parseSource } from '../manifest/source.ts';
import { unknownContainers } from './overrides.ts';
import { runnable } from './runnable.ts';

export type Admitted = {
  readonly manifest: Manifest;
  readonly ports: readonly UsedPort[];
  readonly warnings: readonly Finding[];
  /** By the name of the container. */
  readonly parameters: ReadonlyMap<string, SidecarParameters>;
};

/** Why it is not admitted, one line each. */
export type Refused = { readonly refused: readonly string[] };

export function readManifest(file: string): string | Refused {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT'
        ? 'no such file'
        : code === 'EACCES'
          ? 'no permission to read it'
          : code === 'EISDIR'
            ? 'is a directory'
            : message;
    return { refused: [`${file}: ${reason}`] };
  }
}

const noParameters: CheckedWorkload['parameters'] = new Map();
const isPod = ({ manifest }: Pick<CheckedWorkload, 'manifest'>) => manifest.kind === 'Pod';

/** One Pod is run: of another kind it is a controller that makes Pods. */
function notRun({ manifest }: CheckedWorkload): Finding {
  const message = isPod({ manifest })
    ? 'a manifest that is run has one Pod, this is another one'
    : `a Pod is expected, this is a ${manifest.kind}; write its template as a Pod to run it here`;
  return {
    ...manifest.document.position(['kind']),
    severity: 'error',
    rule: 'kind',
    file: manifest.source.file,
    path: 'kind',
    message,
  };
}

export async function admit(file: string, text: string, overrides: Overrides): Promise<Admitted | Refused> {
  const { findings, workloads } = await check(parseSource(file, text), overrides);
  const { manifest, parameters = noParameters } = workloads.find(isPod) ?? {};
  const containers = manifest ? containersOf(manifest.pod) : [];
  const more = [
    ...(manifest ? applyRule(runnable, { manifest, containers, parameters }) : []),
    ...workloads.filter((each) => each.manifest !== manifest).map(notRun),
  ];
  // A warning about what only a cluster might have is an error here: the same line twice helps nobody.
  const places = new Set(more.map(({ path }) => path));
  const repeated = ({ path, rule }: Finding) => rule === 'references' && places.has(path);
  // A process of this machine has no security context.
  const elsewhere = ({ rule }: Finding) => rule === podSecurity.name;
  const all = inFileOrder([...findings.filter((each) => !repeated(each) && !elsewhere(each)), ...more]);
  const errors = errorsOf({ findings: all });
  const strangers = manifest
    ? unknownContainers(
        overrides,
        containers.map(({ name }) => name),
      )
    : [];
  if (!manifest || errors.length > 0 || strangers.length > 0)
    return { refused: [...all.map(formatFinding), ...strangers, ...(all.length > 0 ? [summaryOf(all)] : [])] };
  const ports = containers
    .filter(({ kind }) => kind !== 'init')
    .flatMap((entry) => portsOf(entry, parameters.get(entry.name)));
  return { manifest, ports, warnings: all, parameters };
}
