// A rule looks at a Pod and says what it finds, with the path in the manifest.

import type { ContainerEntry } from '../manifest/containers.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { SidecarParameters } from '../manifest/parameters.ts';
import type { Path } from '../manifest/path.ts';

export type Severity = 'error' | 'warning';

export type Found = {
  /** Inside the Pod. */
  readonly path: Path;
  readonly message: string;
  /** When it differs from the rule's own. */
  readonly severity?: Severity | undefined;
};

export type Subject = {
  /** Without what the schema refuses, so that the rest can be looked at too: any field may be absent. */
  readonly manifest: Manifest;
  readonly containers: readonly ContainerEntry[];
  /** By the name of the container. */
  readonly parameters: ReadonlyMap<string, SidecarParameters>;
};

export type Rule = {
  /** Kebab-case; shown by --json. */
  readonly name: string;
  readonly severity: Severity;
  check(subject: Subject): Iterable<Found>;
};

export const defineRule = (rule: Rule): Rule => rule;
