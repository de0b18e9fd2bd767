// outrigger create

import { existsSync } from 'node:fs';
import { glob, readdir, readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { refuse, say } from '../command.ts';
import { roles } from '../manifest/toolkit.ts';
import { create, repository } from './create.ts';

/** As written on the command line. */
export type Written = {
  readonly name: string;
  readonly directory: string | undefined;
  readonly port: string | undefined;
  readonly summary: string | undefined;
};

/** 0 written, 64 wrong usage. */
export async function writeSidecar({ name, directory, port, summary }: Written): Promise<number> {
  if (!existsSync(join(repository, 'pnpm-workspace.yaml')))
    return refuse(
      ['A new sidecar is built and tested with the toolkit: run this in a clone of it'],
      'outrigger create --help',
    );
  const target = resolve(directory ?? join(repository, 'packages', name));
  const problems = [
    problemOfName(name),
    port === undefined ? undefined : problemOfPort(port),
    summary === undefined ? undefined : problemOfSummary(summary),
    await problemOfDirectory(target),
  ].filter((problem) => problem !== undefined);
  if (problems.length > 0) return refuse(problems, 'outrigger create --help');
  const wanted = {
    name,
    directory: target,
    port: port === undefined ? await nextPort() : Number(port),
    summary: summary ?? 'Does its work again and again',
  };
  const files = await create(wanted);
  const shown = relative('.', target) || '.';
  return say(`${shown}: ${files.length} files of the sidecar "${name}", admin port ${wanted.port}

${files.map((file) => `  ${file}`).join('\n')}

What it is for goes into src/work.ts. Then, in its directory:

  npx pnpm@12 install        once, for its dependencies
  npx pnpm@12 test           its own tests, and the contract of every sidecar
  npx pnpm@12 conformance    the contract again, from outside
  npx pnpm@12 generate       README tables, openapi.json and schema, after a change of the declarations
`);
}

/** Names that images, packages or containers of the toolkit have. */
const reserved: readonly string[] = [...roles, 'core', 'pod', 'app', 'outrigger', 'sidecar'];

function problemOfName(name: string): string | undefined {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 40)
    return `"${name}": a name in kebab-case of at most 40 characters is expected, such as exchange-rates`;
  return reserved.includes(name) ? `"${name}" is the name of a part of the toolkit` : undefined;
}

function problemOfPort(port: string): string | undefined {
  const number = /^\d+$/.test(port) ? Number(port) : 0;
  if (number < 1024 || number > 65_535) return `--port: a number from 1024 to 65535 is expected, not "${port}"`;
  if (number >= 9400 && number < firstPort)
    return `--port: ${port} belongs to the toolkit; from ${firstPort} on they are free`;
  return undefined;
}

function problemOfSummary(summary: string): string | undefined {
  if (/^[^"\\`\n]{1,100}$/.test(summary) && !/[.\s]$|^\s/.test(summary)) return undefined;
  return '--summary: one sentence without full stop, double quotes and backslashes, of at most 100 characters, is expected';
}

async function problemOfDirectory(directory: string): Promise<string | undefined> {
  try {
    const present = await readdir(directory);
    if (present.length === 0) return undefined;
    return `${directory} is not empty (${present.slice(0, 3).join(', ')}${present.length > 3 ? ', ...' : ''}); nothing is written`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    return code === 'ENOTDIR' ? `${directory} is a file` : `${directory} cannot be read (${code})`;
  }
}

const firstPort = 9410;

/** The lowest that no sidecar of this repository has. */
async function nextPort(): Promise<number> {
  const taken = new Set<number>();
  for await (const file of glob(['packages/*/src/sidecar.ts', 'examples/*/src/sidecar.ts'], { cwd: repository })) {
    const text = await readFile(join(repository, file), 'utf8');
    taken.add(Number(/^ {2}port: (\d+),$/m.exec(text)?.[1]));
  }
  let port = firstPort;
  while (taken.has(port)) port++;
  return port;
}
