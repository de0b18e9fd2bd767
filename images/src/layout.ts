// The images as they are published: an OCI image layout whose layers are compressed with zstd. Made here, so that digests
// are those of the registry before anything is pushed: labels, SBOMs and signatures name them.

import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { type Architecture, dist } from './images.ts';
import { run } from './run.ts';

export type Descriptor = {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly architecture: string; readonly os: string };
  readonly annotations?: Readonly<Record<string, string>>;
};
export type Manifest = { readonly config: Descriptor; readonly layers: readonly Descriptor[] };
type Index = { readonly manifests: readonly Descriptor[] };

const types = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+zstd',
};
const reference = 'org.opencontainers.image.ref.name';
const compress = promisify(zstdCompress);

export const layoutOf = (out: string) => join(out, 'oci');
export const blobOf = (layout: string, digest: string) => join(layout, 'blobs', digest.replace(':', '/'));
const parse = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

type Publication = {
  readonly architecture: Architecture;
  readonly out: string;
  /** Of zstd. */
  readonly level: number;
};

/** Takes an image from the engine's storage, and returns what stands for it in the layout. */
export async function publish(image: string, { architecture, out, level }: Publication): Promise<Descriptor> {
  const layout = layoutOf(out);
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}\n');
  const plain = mkdtempSync(join(out, 'plain-'));
  try {
    // Its layers come as plain tar archives, each blob in a file named after its digest.
    run('buildah', ['push', '--quiet', '--disable-compression', '--format=oci', image, `dir:${plain}`]);
    const fileOf = ({ digest }: Descriptor) => join(plain, digest.replace(/^.*:/, ''));
    const { config, layers } = parse(join(plain, 'manifest.json')) as Manifest;
    copyFileSync(fileOf(config), blobOf(layout, config.digest));
    const published: Descriptor[] = [];
    for (const layer of layers) {
      const blob = await compressed(layer.digest, fileOf(layer), level);
      copyFileSync(blob.file, blobOf(layout, blob.digest));
      published.push({ mediaType: types.layer, digest: blob.digest, size: statSync(blob.file).size });
    }
    const manifest = { schemaVersion: 2, mediaType: types.manifest, config, layers: published };
    return { ...writeBlob(layout, types.manifest, manifest), platform: { architecture, os: 'linux' } };
  } finally {
    rmSync(plain, { recursive: true });
  }
}

/** One name for an image of all architectures. */
export function publishIndex(ref: string, manifests: readonly Descriptor[], out: string): Descriptor {
  const layout = layoutOf(out);
  const index = { schemaVersion: 2, mediaType: types.index, manifests };
  const named = { ...writeBlob(layout, types.index, index), annotations: { [reference]: ref } };
  const file = join(layout, 'index.json');
  const others = existsSync(file)
    ? (parse(file) as Index).manifests.filter(({ annotations }) => annotations?.[reference] !== ref)
    : [];
  const all = [...others, named].sort((a, b) => (a.annotations![reference]! < b.annotations![reference]! ? -1 : 1));
  writeFileSync(file, `${JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests: all }, null, 2)}\n`);
  return named;
}

/** An image of that name and architecture. */
export function imageOf(ref: string, architecture: Architecture, out: string): Descriptor & { manifest: Manifest } {
  const layout = layoutOf(out);
  const named = (parse(join(layout, 'index.json')) as Index).manifests.find(
    ({ annotations }) => annotations?.[reference] === ref,
  );
  const images = named ? (parse(blobOf(layout, named.digest)) as Index).manifests : [];
  const found = images.find(({ platform }) => platform?.architecture === architecture);
  if (!found) throw new Error(`${layout} has no ${ref} for ${architecture}: build it first`);
  return { ...found, manifest: parse(blobOf(layout, found.digest)) as Manifest };
}

/** Level 19 takes most of a minute for Node: what was compressed once is kept by what it was. */
async function compressed(
  plainDigest: string,
  plain: string,
  level: number,
): Promise<{ file: string; digest: string }> {
  const file = join(dist, 'layers', `${plainDigest.replace(':', '-')}.${level}.zst`);
  if (!existsSync(file)) {
    mkdirSync(join(dist, 'layers'), { recursive: true });
    const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 };
    writeFileSync(`${file}.${process.pid}`, await compress(readFileSync(plain), { params }));
    renameSync(`${file}.${process.pid}`, file);
  }
  return { file, digest: `sha256:${createHash('sha256').update(readFileSync(file)).digest('hex')}` };
}

function writeBlob(layout: string, mediaType: string, value: object): Descriptor {
  const text = JSON.stringify(value);
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  writeFileSync(blobOf(layout, digest), text);
  return { mediaType, digest, size: Buffer.byteLength(text) };
}
