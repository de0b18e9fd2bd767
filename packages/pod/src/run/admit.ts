// What must hold before anything is started: a right manifest that this machine can run.

import { readFileSync } from 'node:fs';
import { applyRule, check, errorsOf, type Finding, inFileOrder, type Overrides } from '../check/check.ts';
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

export async function admit(file: string, text: string, overrides: Overrides): Promise<Admitted | Refused> {
  const { findings, manifest, parameters } = await check(parseSource(file, text), overrides);
  const containers = manifest ? containersOf(manifest.pod) : [];
  const more = manifest ? applyRule(runnable, { manifest, containers, parameters }) : [];
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
