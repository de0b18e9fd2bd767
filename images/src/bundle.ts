// What a role has of its own in its image, laid out as under /usr/local.

import {
  chmodSync,
  cpSync,
  globSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Bundle, type Role, root } from './images.ts';
import { run } from './run.ts';
import { bundledPackages } from './sbom/bundled.ts';

/** Takes a fraction of a second, so it is always done anew. Beside it lies the metafile: what went into it. */
export function stage(target: Bundle, out: string): void {
  const layer = join(out, 'roles', target);
  rmSync(layer, { recursive: true, force: true });
  mkdirSync(layer, { recursive: true });
  if (target === 'example-billing') stageExample(layer);
  else stageRole(target, layer);
  // Whatever the umask of who builds.
  for (const file of globSync('**/*', { cwd: layer })) {
    const path = join(layer, file);
    const stat = lstatSync(path);
    if (stat.isSymbolicLink()) continue;
    chmodSync(path, stat.isDirectory() || file.endsWith('main.mjs') ? 0o755 : 0o644);
  }
}

export const metafileOf = (target: Bundle, out: string) => join(out, 'roles', `${target}.meta.json`);

function stageRole(role: Role, layer: string): void {
  const folder = join(root, 'packages', role);
  const metafile = `${layer}.meta.json`;
  const program = join(layer, 'lib/sidecar');
  run('node', ['../core/scripts/bundle.ts', '--image', `--outdir=${program}`, `--metafile=${metafile}`], folder);
  const documents = join(layer, 'share/doc/sidecar');
  mkdirSync(documents, { recursive: true });
  writeFileSync(join(documents, 'copyright'), copyright(metafile));
  // The link has no file extension, its target has one: Node need not find out whether that is an ES module.
  mkdirSync(join(layer, 'bin'));
  symlinkSync('../lib/sidecar/main.mjs', join(layer, 'bin/sidecar'));
}

/** Licences ask for their text to go with the code. */
function copyright(metafile: string): string {
  const own = ['outrigger', readFileSync(join(root, 'LICENSE'), 'utf8')] as const;
  const others = bundledPackages(metafile).map(
    ({ name, version, licence, folder }) =>
      [`${name} ${version}`, licenceText(folder) ?? `${licence}, as its package.json says.`] as const,
  );
  return [own, ...others].map(([title, text]) => `${title}\n\n${text.trim()}\n`).join(`\n${'-'.repeat(80)}\n\n`);
}

function licenceText(folder: string): string | undefined {
  const [file] = globSync('{LICENSE,LICENCE,license,licence}*', { cwd: folder }).sort();
  return file && readFileSync(join(folder, file), 'utf8');
}

function stageExample(layer: string): void {
  const folder = join(root, 'examples/billing');
  run('esbuild', [
    join(folder, 'setup.ts'),
    '--bundle',
    '--platform=node',
    '--target=node26',
    '--format=esm',
    `--outfile=${join(layer, 'setup.mjs')}`,
    `--metafile=${layer}.meta.json`,
    '--log-level=warning',
  ]);
  cpSync(join(folder, 'billing.cjs'), join(layer, 'billing.cjs'));
}
