// The sidecar under test, following a remote into a scratch directory.

import { readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type RunningSidecar, type StartOptions, startSidecar, until } from '@outrigger/core/testing';

export const main = import.meta.resolve('../../src/main.ts');

export type Place = { readonly root: string; readonly link: string };

/** Where the sidecar works in a scratch directory. */
export const place = (directory: string): Place => ({
  root: join(directory, 'root'),
  link: join(directory, 'root', 'current'),
});

type Options = StartOptions & { readonly args?: readonly string[]; readonly link?: string };

export function startSync(
  repo: string,
  { root }: Place,
  { args = [], link = 'current', ...options }: Options = {},
): Promise<RunningSidecar> {
  const usual = ['--repo', repo, '--root', root, '--link', link, '--period', '30ms'];
  return startSidecar(main, [...usual, ...args], options);
}

/** The published commit, by the name of the directory that the link points to, as users of git-sync v4 read it. */
export const publishedCommit = ({ link }: Place) => readlink(link).then(basename, () => undefined);

export const untilPublished = (at: Place, commit: string, sidecar?: RunningSidecar) =>
  until(async () => (await publishedCommit(at)) === commit, {
    deadline: 20_000,
    what: () => `${commit} to be published; the sidecar said:\n${sidecar?.stderr}`,
  });

/** A file of the published tree. */
export const content = ({ link }: Place, file: string) => readFile(join(link, file), 'utf8');

/** Until the sidecar has logged an error of the catalogue. */
export const untilLogged = (sidecar: RunningSidecar, code: string) =>
  until(() => sidecar.logs().find((line) => line.code === code), {
    deadline: 20_000,
    what: () => `${code}; the sidecar said:\n${sidecar.stderr}`,
  });

/** What /v1/status says. */
export async function status(sidecar: RunningSidecar): Promise<Record<string, unknown>> {
  return (await (await sidecar.get('/v1/status')).json()) as Record<string, unknown>;
}
