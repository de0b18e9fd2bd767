// Where the reference is now: one `git ls-remote` for a few exact names, and nothing else.

import { errors } from './errors.ts';
import type { Git } from './git.ts';
import { isCommit, type Workspace } from './workspace.ts';

export type Head = {
  readonly commit: string;
  /** Full name, such as refs/heads/main; for a commit, the commit. */
  readonly ref: string;
  /** Another reference that the same word could mean. */
  readonly shadowed?: string | undefined;
};

/** Rejects with GIT_REF_NOT_FOUND or GIT_REMOTE_EMPTY when the remote answers but has no such reference. */
export async function poll({ repository, reference }: Workspace, git: Git, signal: AbortSignal): Promise<Head> {
  const { commit, candidates, written } = reference;
  if (commit) return { commit, ref: commit };
  // The peeled name of an annotated tag is the commit that it stands for.
  const names = candidates.flatMap((name) => (name.startsWith('refs/') ? [name, `${name}^{}`] : [name]));
  const found = parse(await git.askAgain(['ls-remote', '--', repository.url, ...names], signal));
  const [ref, shadowed] = candidates.filter((name) => found.has(name));
  if (ref) return { commit: (found.get(`${ref}^{}`) ?? found.get(ref))!, ref, shadowed };
  const anything = parse(await git.ask(['ls-remote', '--heads', '--tags', '--', repository.url], signal));
  throw anything.size === 0
    ? errors.GIT_REMOTE_EMPTY({ repo: repository.url })
    : errors.GIT_REF_NOT_FOUND({ repo: repository.url, ref: written });
}

/** ls-remote matches the end of names too, so only what is asked for exactly counts; warnings have no tab. */
function parse(listing: string): Map<string, string> {
  const lines = listing.split('\n').map((line) => line.split('\t'));
  return new Map(lines.flatMap(([commit, name]) => (isCommit(commit!) && name ? [[name, commit!]] : [])));
}
