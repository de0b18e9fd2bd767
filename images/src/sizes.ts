// Prints what pulling the images costs, in MB (10^6 bytes): node images/src/sizes.ts
// Of what was built for this machine: layers with zstd at level 19 as they are published, and with gzip at level 9 beside
// it, as for runtimes that know nothing newer. Takes a minute, most of it gzip's for Node.

import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { constants, gzip, zstdDecompress } from 'node:zlib';
import { dist, hostArchitecture, roles, version } from './images.ts';
import { blobOf, imageOf, layoutOf } from './layout.ts';

export type Weight = { readonly zstd: number; readonly gzip: number };
type Weights = { readonly whole: Weight; readonly own: Weight };

/** By role, its own layers being those above the base; and all of them together, where each layer counts once. */
export async function weigh(out: string): Promise<{ byRole: Readonly<Record<string, Weights>>; together: Weight }> {
  if (!hostArchitecture) throw new Error(`there are no images for ${process.arch}`);
  const known = new Map<string, Weight>();
  const byRole: Record<string, Weights> = {};
  for (const role of roles) {
    const each: Weight[] = [];
    for (const { digest, size } of imageOf(`${role}:${version}`, hostArchitecture, out).manifest.layers) {
      const weight = known.get(digest) ?? { zstd: size, gzip: await gzipped(blobOf(layoutOf(out), digest)) };
      known.set(digest, weight);
      each.push(weight);
    }
    byRole[role] = { whole: sum(each), own: sum(each.slice(1)) };
  }
  return { byRole, together: sum([...known.values()]) };
}

async function gzipped(file: string): Promise<number> {
  const plain = await promisify(zstdDecompress)(readFileSync(file));
  return (await promisify(gzip)(plain, { level: constants.Z_BEST_COMPRESSION })).length;
}

const sum = (weights: Iterable<Weight>): Weight =>
  [...weights].reduce((total, each) => ({ zstd: total.zstd + each.zstd, gzip: total.gzip + each.gzip }), {
    zstd: 0,
    gzip: 0,
  });

if (import.meta.main) {
  const { byRole, together } = await weigh(dist);
  const print = (name: string, ...columns: string[]) =>
    process.stdout.write(`${name.padEnd(18)}${columns.map((column) => column.padStart(12)).join('')}\n`);
  const megabytes = ({ zstd, gzip }: Weight) => [zstd, gzip].map((bytes) => (bytes / 1e6).toFixed(2));
  print('', 'zstd', 'gzip', 'own, zstd', 'own, gzip');
  for (const [role, { whole, own }] of Object.entries(byRole)) print(role, ...megabytes(whole), ...megabytes(own));
  print('all six together', ...megabytes(together));
}
