// Builds the images: node images/src/build.ts [options] [<target> ...]
//   --arch <architecture>   amd64 or arm64, repeatable; by default what this machine is
//   --fresh                 makes the base anew, with Debian's packages of today
//   --prefix <name>         what the images are published under, by default outrigger
//   --local <name>          what their names begin with in this machine's storage, by default the same
//   --source <url>          the address of the sources, for the labels
//   --level <1 to 22>       of zstd, by default 19
//   --out <directory>       by default images/dist
// Needs Debian and root, mmdebstrap, buildah and binutils, and what `pnpm install` installs. No image is pulled.

import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { makeBase } from './base.ts';
import { stage } from './bundle.ts';
import {
  type Architecture,
  architectures,
  dist,
  fileEpoch,
  hostArchitecture,
  isArchitecture,
  isBundle,
  isTarget,
  root,
  type Target,
  targets,
  version,
} from './images.ts';
import { type Build, labelsOf } from './labels.ts';
import { publish, publishIndex } from './layout.ts';
import { attempt, missing, run } from './run.ts';
import { writeStatements } from './sbom/subject.ts';

type Options = {
  readonly architectures: readonly Architecture[];
  readonly targets: readonly Target[];
  readonly prefix: string;
  readonly local: string;
  readonly level: number;
  readonly source: string | undefined;
  readonly out: string;
  readonly fresh: boolean;
};

process.env.PATH = `${join(root, 'node_modules/.bin')}:${process.env.PATH}`;
const options = optionsOf(process.argv.slice(2));
const lacking = typeof options === 'string' ? options : lackingOf(options);
if (typeof options === 'string' || lacking) {
  process.stderr.write(`images: ${lacking}\n`);
  process.exitCode = 64;
} else await build(options);

function optionsOf(args: string[]): Options | string {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      arch: { type: 'string', multiple: true, default: hostArchitecture ? [hostArchitecture] : [] },
      fresh: { type: 'boolean', default: false },
      prefix: { type: 'string', default: 'outrigger' },
      local: { type: 'string' },
      source: { type: 'string' },
      level: { type: 'string', default: '19' },
      out: { type: 'string', default: dist },
    },
  });
  const strange = [
    ...values.arch.filter((name) => !isArchitecture(name)),
    ...positionals.filter((name) => !isTarget(name)),
  ];
  if (strange.length > 0) return `unknown: ${strange.join(', ')}; there are ${targets.join(', ')} for amd64 and arm64`;
  const level = Number(values.level);
  if (!Number.isInteger(level) || level < 1 || level > 22) return `--level: 1 to 22 is expected, not ${values.level}`;
  if (values.arch.length === 0) return `--arch is needed on a machine that is ${process.arch}`;
  return {
    architectures: [...new Set(values.arch)].filter(isArchitecture),
    targets: positionals.length > 0 ? positionals.filter(isTarget) : targets,
    prefix: values.prefix,
    local: values.local ?? values.prefix,
    level,
    source: values.source,
    out: resolve(values.out),
    fresh: values.fresh,
  };
}

function lackingOf(wanted: Options): string | undefined {
  const foreign = wanted.architectures.filter((each) => each !== hostArchitecture);
  const binutils = foreign.map((each) => architectures[each].binutils);
  const lacking = missing([
    'mmdebstrap',
    'buildah',
    'readelf',
    'strip',
    ...binutils.map((name) => `${name.replace('x86-64', 'x86_64')}-strip`),
  ]);
  const packages = ['mmdebstrap', 'buildah', 'binutils', ...binutils.map((name) => `binutils-${name}`)];
  return lacking.length > 0
    ? `missing: ${lacking.join(', ')} (on Debian: apt-get install --no-install-recommends ${packages.join(' ')})`
    : undefined;
}

async function build(wanted: Options): Promise<void> {
  const { out, prefix, source } = wanted;
  mkdirSync(out, { recursive: true });
  for (const architecture of wanted.architectures) makeBase(architecture, out, wanted.fresh);
  for (const target of wanted.targets) if (isBundle(target)) stage(target, out);
  const bases = new Map<Architecture, Build>();
  const published = [];
  const without: Build = { prefix, source, baseDigest: undefined };
  for (const architecture of wanted.architectures) {
    const base = await buildImage('base', architecture, wanted, without);
    published.push(base);
    bases.set(architecture, { ...without, baseDigest: base.digest });
  }
  publishIndex(`base:${version}`, published, out);
  for (const target of wanted.targets) {
    const images = [];
    for (const architecture of wanted.architectures)
      images.push(
        await buildImage(target, architecture, wanted, isBundle(target) ? bases.get(architecture)! : without),
      );
    publishIndex(`${target}:${version}`, images, out);
  }
  forgetDangling();
}

async function buildImage(
  target: Target | 'base',
  architecture: Architecture,
  { out, local, level }: Options,
  from: Build,
) {
  const name = `${local}/${target}:${version}`;
  const tags = [`${name}-${architecture}`];
  if (architecture === hostArchitecture) tags.push(name, `${local}/${target}:latest`);
  const labels = Object.entries(await labelsOf(target, from));
  run('buildah', [
    'build',
    '--quiet',
    '--no-cache',
    '--format=oci',
    `--platform=linux/${architecture}`,
    `--timestamp=${fileEpoch}`,
    `--file=${join(root, 'images/Containerfile')}`,
    `--target=${target}`,
    ...labels.map(([key, value]) => `--label=${key}=${value}`),
    ...tags.map((tag) => `--tag=${tag}`),
    out,
  ]);
  const image = await publish(tags[0]!, { architecture, out, level });
  writeStatements({ name: target, architecture, digest: image.digest }, from.source, out);
  process.stdout.write(`${tags[0]}  ${image.digest}\n`);
  return image;
}

/** What the same names stood for before; what a container still runs stays. */
function forgetDangling(): void {
  const label = 'label=org.opencontainers.image.vendor=Outrigger';
  const dangling = run('buildah', ['images', '--quiet', '--filter=dangling=true', `--filter=${label}`]);
  for (const id of new Set(dangling.split('\n').filter(Boolean))) attempt('buildah', ['rmi', id]);
}
