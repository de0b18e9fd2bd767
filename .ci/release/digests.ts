// Prints what of a layout is to be published, a line each: digests.ts <layout> <version>

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type Index = {
  readonly manifests: readonly {
    readonly digest: string;
    readonly platform?: { readonly architecture: string };
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
};

const [layout = '', version = ''] = process.argv.slice(2);
const read = (...path: string[]) => JSON.parse(readFileSync(join(layout, ...path), 'utf8')) as Index;

let count = 0;
for (const { digest, annotations } of read('index.json').manifests) {
  const [target = '', tag] = annotations?.['org.opencontainers.image.ref.name']?.split(':') ?? [];
  // Not of the toolkit: the application of the demo.
  if (tag !== version || target.startsWith('example-')) continue;
  const { manifests } = read('blobs', ...digest.split(':'));
  const images = ['amd64', 'arm64'].map((wanted) => {
    const image = manifests.find(({ platform }) => platform?.architecture === wanted);
    if (!image) throw new Error(`${target}:${version} is not built for ${wanted}`);
    return image.digest;
  });
  process.stdout.write(`${[target, digest, ...images].join(' ')}\n`);
  count++;
}
if (count === 0) throw new Error(`${layout} has no image of version ${version}`);
