// What may not be published: known vulnerabilities, and licences that were not agreed to.
//   node images/src/gate.ts [--strict]
// Exit code 0 passed, 1 not. A registry that does not answer audits says nothing about vulnerabilities: that is printed,
// and with --strict, for releases, it is a failure.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { metafileOf, stage } from './bundle.ts';
import { bundles, root } from './images.ts';
import { type BundledPackage, bundledPackages } from './sbom/bundled.ts';

/** Permissive ones, which ask for no more than their text: it is in the images. */
export const allowedLicences = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];

export type Audit = { readonly known: boolean; readonly findings: readonly string[] };

/** Of the packages that are bundled. What Debian ships under other licences lies in the images as programs of their own. */
export const refusedLicences = (packages: readonly BundledPackage[]): string[] =>
  packages
    .filter(({ licence }) => !allowedLicences.includes(licence))
    .map(({ name, version, licence }) => `${name}@${version}: ${licence} is not an allowed licence`);

/** What `pnpm audit --json` printed. It exits 1 as well when it found something as when it could not ask. */
export function readAudit(status: number | null, stdout: string): Audit {
  if (status === 0) return { known: true, findings: [] };
  const report = parsed(stdout);
  if (!report?.advisories) return { known: false, findings: [] };
  return {
    known: true,
    findings: Object.values(report.advisories).map(({ module_name: name, severity, title, url }) =>
      `${name}: ${severity}: ${title} ${url ?? ''}`.trimEnd(),
    ),
  };
}

type Advisory = {
  readonly module_name: string;
  readonly severity: string;
  readonly title: string;
  readonly url?: string;
};
type Report = { readonly advisories?: Readonly<Record<string, Advisory>> };

function parsed(text: string): Report | undefined {
  try {
    return JSON.parse(text) as Report;
  } catch {
    // It says in words why it could not ask.
    return undefined;
  }
}

function bundledInAnyImage(): BundledPackage[] {
  const out = mkdtempSync(join(tmpdir(), 'outrigger-gate-'));
  try {
    const all = bundles.flatMap((target) => {
      stage(target, out);
      return bundledPackages(metafileOf(target, out));
    });
    return [...new Map(all.map((each) => [`${each.name}@${each.version}`, each])).values()];
  } finally {
    rmSync(out, { recursive: true });
  }
}

function main(): number {
  const { strict } = parseArgs({ options: { strict: { type: 'boolean', default: false } } }).values;
  process.env.PATH = `${join(root, 'node_modules/.bin')}:${process.env.PATH}`;
  const packages = bundledInAnyImage();
  const refused = refusedLicences(packages);
  process.stdout.write(`licences: ${packages.length} bundled packages, ${refused.length} refused\n`);
  const { status, stdout } = spawnSync('npx', ['-y', 'pnpm@12', 'audit', '--prod', '--json'], {
    cwd: root,
    encoding: 'utf8',
    timeout: 120_000,
  });
  const { known, findings } = readAudit(status, stdout);
  process.stdout.write(
    known
      ? `vulnerabilities: ${findings.length}\n`
      : 'vulnerabilities: not known, the registry does not answer audits\n',
  );
  for (const finding of [...refused, ...findings]) process.stdout.write(`  ${finding}\n`);
  return refused.length + findings.length > 0 || (strict && !known) ? 1 : 0;
}

if (import.meta.main) process.exitCode = main();
