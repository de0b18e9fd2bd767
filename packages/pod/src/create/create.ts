// Writes a new sidecar: the package in template/, which is a whole one, under another name.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderDocuments } from '@outrigger/core/documents';
import { sidecar as template } from '../../template/src/sidecar.ts';

export type Wanted = {
  readonly name: string;
  readonly directory: string;
  readonly port: number;
  readonly summary: string;
};

const source = fileURLToPath(new URL('../../template/', import.meta.url));

/** The repository that holds the toolkit. */
export const repository = fileURLToPath(new URL('../../../../', import.meta.url));

/** Returns the files, relative to the directory. Rejects with EEXIST rather than overwrite anything. */
export async function create(wanted: Wanted): Promise<readonly string[]> {
  const files = await templateFiles();
  for (const [file, content] of files) {
    const path = join(wanted.directory, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, rename(file, content, wanted), { flag: 'wx' });
  }
  return [...files.keys()];
}

async function templateFiles(): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(source, { recursive: true, withFileTypes: true });
  const files = new Map<string, string>();
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name);
    // What links to places that a template does not know has another name here, so that no tool takes it at its word.
    files.set(relative(source, path).replace(/\.template$/, ''), await readFile(path, 'utf8'));
  }
  for (const [file, content] of Object.entries(renderDocuments(template, files.get('README.md')!)))
    files.set(file, content);
  return new Map([...files].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** What the template says of itself, said of the new one. */
function rename(file: string, content: string, { name, directory, port, summary }: Wanted): string {
  const to = (path: string) => relative(directory, join(repository, path)).split(sep).join('/') || '.';
  const places: Readonly<Record<string, string>> = {
    core: to('packages/core'),
    pod: to('packages/pod'),
    config: to('.config'),
    here: relative(repository, resolve(directory)).split(sep).join('/'),
  };
  const written = extname(file) === '.ts' ? quoted(summary) : summary;
  return content
    .replace(/\{(core|pod|config|here)\}/g, (_, place: string) => places[place]!)
    .replaceAll(extname(file) === '.ts' ? `'${template.summary}'` : template.summary, () => written)
    .replaceAll(template.name, name)
    .replaceAll(template.name.replaceAll('-', '_'), name.replaceAll('-', '_'))
    .replaceAll(template.name.replaceAll('-', '_').toUpperCase(), name.replaceAll('-', '_').toUpperCase())
    .replaceAll(String(template.port), String(port));
}

/** As the formatter would write it. */
const quoted = (text: string) => (text.includes("'") ? `"${text}"` : `'${text}'`);
