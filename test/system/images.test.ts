// What is promised of the images, asked of each as it was built: `pnpm images` comes first.

import { randomInt } from 'node:crypto';
import { basename } from 'node:path';
import { scratch } from '@outrigger/core/testing';
import { dist, hostArchitecture, imageOf, labelsOf, roles, version } from '@outrigger/images';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ImageFile, openImages } from './image-files.ts';
import { imagePrefix as prefix } from './names.ts';
import { podman } from './podman.ts';

type Image = {
  readonly Architecture: string;
  readonly RootFS: { readonly Layers: readonly string[] };
  readonly Config: {
    readonly User: string;
    readonly Env: readonly string[];
    readonly Entrypoint: readonly string[];
    readonly ExposedPorts: Readonly<Record<string, object>>;
    readonly StopSignal: string;
    readonly Labels: Readonly<Record<string, string>>;
  };
};

const architecture = hostArchitecture!;
const shells = ['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh', 'mksh', 'csh', 'tcsh', 'fish', 'busybox', 'toybox'];
const interpreters = ['perl', 'python3', 'python', 'ruby', 'lua', 'awk', 'gawk', 'mawk'];
const managers = ['apt', 'apt-get', 'dpkg', 'rpm', 'apk', 'npm', 'npx', 'pnpm', 'yarn', 'corepack', 'pip', 'pip3'];

let images: Readonly<Record<string, Image>>;
let opened: ReturnType<typeof openImages>;
let stack: AsyncDisposableStack;

beforeAll(async () => {
  const inspected = await podman('image', 'inspect', ...roles.map((name) => `${prefix}/${name}:${version}`));
  images = Object.fromEntries((JSON.parse(inspected) as Image[]).map((image, index) => [roles[index], image]));
  stack = new AsyncDisposableStack();
  opened = openImages(stack.use(await scratch()), dist);
});

afterAll(() => stack[Symbol.asyncDispose]());

test('all stand on one and the same base layer, in storage and as they are published', () => {
  expect(new Set(Object.values(images).map(({ RootFS }) => RootFS.Layers[0])).size).toBe(1);
  expect(new Set(roles.map((name) => opened.layersOf(name, architecture)[0]!.digest)).size).toBe(1);
});

describe.each(roles)('%s', (name) => {
  const named = (...wanted: readonly string[]) =>
    opened
      .files(name, architecture)
      .filter(({ path, mode, isDirectory }) => !isDirectory && mode & 0o111 && wanted.includes(basename(path)));
  const pathsOf = (files: readonly ImageFile[]) => files.map(({ path }) => path).sort();

  test('says all of itself that its declarations say, and where it comes from', async () => {
    const { Labels } = images[name]!.Config;
    const base = imageOf(`base:${version}`, architecture, dist);
    const build = { prefix, source: undefined, baseDigest: base.digest };
    expect(Labels).toMatchObject(await labelsOf(name, build));
    expect(Labels).toMatchObject({
      'dev.outrigger.role': name,
      'dev.outrigger.api-versions': '["v1"]',
      'dev.outrigger.stop-signal': 'SIGTERM',
      'org.opencontainers.image.title': `outrigger/${name}`,
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.revision': expect.stringMatching(/^[0-9a-f]{40}$|^unknown$/),
      'org.opencontainers.image.created': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    expect(JSON.parse(Labels['dev.outrigger.parameters']!)).toMatchObject({
      title: `outrigger ${name}`,
      properties: { adminAddress: { type: 'string' } },
    });
  });

  test('is the sidecar itself, runs as a numeric user, and exposes the ports that it says it has', () => {
    const { User, Entrypoint, ExposedPorts, StopSignal, Env, Labels } = images[name]!.Config;
    expect(User).toBe('65532:65532');
    expect(Entrypoint.at(-1)).toBe('sidecar');
    expect(StopSignal).toMatch(/^(SIGTERM|15)$/);
    const ports = Object.values(JSON.parse(Labels['dev.outrigger.ports']!) as Record<string, number>);
    expect(Object.keys(ExposedPorts).sort()).toEqual(ports.map((port) => `${port}/tcp`).sort());
    expect(Env.filter((variable) => /^NODE_OPTIONS=|^MALLOC/.test(variable))).toHaveLength(2);
  });

  test('runs under any user, read-only, without capabilities, in 64 MiB, and knows time zones', async () => {
    // OpenShift gives each project users of its own.
    const user = `${randomInt(1000, 2 ** 31)}:0`;
    const locked = ['--read-only', '--network=none', `--user=${user}`, '--cap-drop=all', '--memory=64m'];
    const run = (...words: string[]) =>
      podman('run', '--rm', ...locked, '--security-opt=no-new-privileges', '--env=TZ=Europe/Berlin', ...words);
    expect(await run(`${prefix}/${name}:${version}`, '--version')).toBe(`${name} ${version}`);
    const local = 'process.stdout.write(new Date(0).getHours() + " " + process.getuid())';
    expect(await run('--entrypoint=node', `${prefix}/${name}:${version}`, '-e', local)).toBe(`1 ${user.split(':')[0]}`);
  });

  test('has no shell and no interpreter beside Node; git-sync has the one that git calls', () => {
    expect(pathsOf(named(...shells, ...interpreters))).toEqual(name === 'git-sync' ? ['bin/dash', 'bin/sh'] : []);
  });

  test('has no package manager', () => {
    expect(pathsOf(named(...managers))).toEqual([]);
    expect(opened.files(name, architecture).filter(({ path }) => path.includes('node_modules'))).toEqual([]);
  });

  test('has no setuid or setgid file, and none that all may write but below /tmp', () => {
    const files = opened.files(name, architecture);
    expect(files.length).toBeGreaterThan(30);
    expect(pathsOf(files.filter(({ mode, isDirectory }) => !isDirectory && mode & 0o6000))).toEqual([]);
    expect(pathsOf(files.filter(({ mode, target }) => target === undefined && mode & 0o002))).toEqual([
      'tmp',
      'var/tmp',
    ]);
  });

  test('has no secret', () => {
    const patterns = [
      /-----BEGIN [A-Z ]*PRIVATE KEY-----\r?\n[A-Za-z0-9+/=]{40}/,
      /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/,
      /\bgh[pousr]_[A-Za-z0-9]{36}\b/,
      /\bnpm_[A-Za-z0-9]{36}\b/,
      /\bxox[baprs]-[A-Za-z0-9-]{20,}/,
    ];
    const suspicious = /(^|\/)(id_(rsa|ecdsa|ed25519)|\.npmrc|\.netrc|\.git-credentials|\.env|.*\.(key|p12|pfx|jks))$/;
    const files = opened.files(name, architecture).filter(({ isFile }) => isFile);
    expect(pathsOf(files.filter(({ path }) => suspicious.test(path)))).toEqual([]);
    // GnuTLS tests itself with keys that it publishes.
    const holders = files.filter(({ path, content }) => {
      if (/\/libgnutls\.so\./.test(path)) return false;
      const text = content().toString('latin1');
      return patterns.some((pattern) => pattern.test(text));
    });
    expect(pathsOf(holders)).toEqual([]);
  });

  test('says which packages its files come from, under which licences', () => {
    const paths = pathsOf(opened.files(name, architecture));
    expect(paths).toEqual(expect.arrayContaining(['var/lib/dpkg/status.d/libc6', 'usr/share/doc/node/copyright']));
    expect(paths).toContain('usr/local/share/doc/sidecar/copyright');
  });
});

test('pause does nothing, as anybody, with nothing but its program, until it is told to end', async () => {
  const programs = opened.files('pause', architecture).filter(({ mode, isDirectory }) => !isDirectory && mode & 0o111);
  expect(programs.map(({ path }) => path)).toEqual(['usr/bin/catatonit']);
  const locked = ['--read-only', '--network=none', '--user=123456', '--cap-drop=all', '--memory=16m'];
  const id = await podman('run', '--detach', ...locked, `${prefix}/pause:${version}`);
  try {
    expect(await podman('inspect', '--format', '{{.State.Status}}', id)).toBe('running');
    await podman('stop', '--time', '10', id);
    expect(await podman('inspect', '--format', '{{.State.ExitCode}}', id)).not.toBe('137');
  } finally {
    await podman('rm', '--force', id);
  }
});

describe('what pulling costs', () => {
  const sizes = () =>
    new Map(roles.flatMap((name) => opened.layersOf(name, architecture).map((l) => [l.digest, l.size])));

  test('all six together are under 50 MB', () => {
    expect(
      sizes()
        .values()
        .reduce((total, size) => total + size, 0),
    ).toBeLessThan(50e6);
  });

  test.each(roles)('what %s has of its own is under 1 MB, git apart', (name) => {
    const layers = opened.layersOf(name, architecture);
    expect(layers).toHaveLength(name === 'git-sync' ? 3 : 2);
    expect(layers.at(-1)!.size).toBeLessThan(1e6);
  });
});
