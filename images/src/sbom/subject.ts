// What a bill of materials or a provenance statement is about, and all three of an image.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Architecture, hostArchitecture, root, type Target } from '../images.ts';
import { created, revision } from '../labels.ts';
import { componentsOf } from './components.ts';
import { cycloneDx } from './cyclonedx.ts';
import { provenance } from './provenance.ts';
import { spdx } from './spdx.ts';

export type Subject = {
  readonly name: Target | 'base';
  readonly architecture: Architecture;
  /** Of the image as it is published. */
  readonly digest: string;
  /** ISO 8601, in whole seconds. */
  readonly created: string;
};

export function writeStatements(image: Omit<Subject, 'created'>, source: string | undefined, out: string): void {
  const subject = { ...image, created: created().toISOString().replace('.000Z', 'Z') };
  const components = componentsOf(image.name, image.architecture, out);
  const lockfile = createHash('sha256')
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
    .digest('hex');
  const statements = {
    'spdx.json': spdx(subject, components),
    'cdx.json': cycloneDx(subject, components),
    'provenance.json': provenance(subject, components, { source, revision: revision(), lockfile }),
  };
  const directory = join(out, 'sbom');
  mkdirSync(directory, { recursive: true });
  // Machines of several architectures that build for themselves give their files the same names.
  const name = image.architecture === hostArchitecture ? image.name : `${image.name}.${image.architecture}`;
  for (const [kind, content] of Object.entries(statements))
    writeFileSync(join(directory, `${name}.${kind}`), `${JSON.stringify(content, null, 2)}\n`);
}
