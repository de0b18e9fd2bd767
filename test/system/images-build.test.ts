// Images built again: from nothing they are the same to the last byte, and another architecture needs no machine of its
// own. Under names and in directories of this run.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Scratch, scratch } from '@outrigger/core/testing';
import { type Architecture, dist, hostArchitecture, imageOf, layoutOf, roles, version } from '@outrigger/images';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openImages } from './image-files.ts';
import { newName, imagePrefix as prefix } from './names.ts';
import { podman, tryPodman } from './podman.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const architecture = hostArchitecture!;
const local = newName();
const minutes = (count: number) => count * 60_000;

let stack: AsyncDisposableStack;
let directory: Scratch;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  directory = stack.use(await scratch());
});

afterAll(async () => {
  // By name and without force: images that are the same have the names of the first build as well, which stay.
  const all = (await podman('images', '--format', '{{.Repository}}:{{.Tag}}')).split('\n');
  const built = all.filter((name) => name.includes(`/${local}/`));
  if (built.length > 0) await tryPodman('rmi', ...built);
  await stack[Symbol.asyncDispose]();
}, minutes(2));

function build(out: string, ...args: readonly string[]): void {
  const program = join(root, 'images/src/build.ts');
  execFileSync(process.execPath, [program, '--prefix', prefix, '--local', local, '--out', out, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: minutes(10),
    killSignal: 'SIGKILL',
  });
}

const hashOf = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

test(
  'built a second time from nothing, the base anew, every image has the same digest',
  () => {
    const out = directory.join('dist');
    build(out, '--fresh', ...roles);
    for (const layer of ['base', 'git'])
      expect([layer, hashOf(join(out, architecture, `${layer}.tar`))]).toEqual([
        layer,
        hashOf(join(dist, architecture, `${layer}.tar`)),
      ]);
    const digests = (from: string) => Object.fromEntries(roles.map((role) => [role, digestOf(role, from)]));
    expect(digests(out)).toEqual(digests(dist));
    for (const role of roles)
      for (const kind of ['spdx.json', 'cdx.json', 'provenance.json']) {
        const file = `sbom/${role}.${kind}`;
        expect([file, readFileSync(join(out, file), 'utf8')]).toEqual([file, readFileSync(join(dist, file), 'utf8')]);
      }
  },
  minutes(12),
);

/** Of the manifest, which names configuration and layers by theirs. */
const digestOf = (role: string, out: string) => imageOf(`${role}:${version}`, architecture, out).digest;

test(
  'both architectures stand under one name, and what this machine is not runs as it should, emulated',
  () => {
    // This machine's base may be there already.
    const out = directory.join('dist');
    build(out, '--level', '1', '--arch', 'amd64', '--arch', 'arm64', 'monitor');
    const images = openImages(directory, out);
    for (const each of ['amd64', 'arm64'] as const)
      expect(configOf('monitor', each, out)).toMatchObject({
        architecture: each,
        os: 'linux',
        config: { User: '65532:65532' },
      });
    const rootfs = images.rootOf('monitor', 'arm64');
    const inside = (path: string) => join(rootfs, path);
    const said = execFileSync(
      'qemu-aarch64-static',
      ['-L', rootfs, inside('usr/local/bin/node'), inside('usr/local/lib/sidecar/main.mjs'), '--version'],
      { encoding: 'utf8', timeout: minutes(2) },
    );
    expect(said).toBe(`monitor ${version}\n`);
  },
  minutes(12),
);

function configOf(name: string, each: Architecture, out: string): unknown {
  const { digest } = imageOf(`${name}:${version}`, each, out).manifest.config;
  return JSON.parse(readFileSync(join(layoutOf(out), 'blobs', digest.replace(':', '/')), 'utf8'));
}
