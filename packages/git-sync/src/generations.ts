// What is published and what was before. The link on disk is the truth; the state file adds what it cannot tell.

import { lstat, readdir, readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { publishFile } from '@outrigger/core';
import * as z from '@outrigger/core/schema';
import { linkedTree } from './publish.ts';
import { commitOf, type Workspace } from './workspace.ts';

export type Generation = {
  readonly commit: string;
  /** Full name of the reference it was found at. */
  readonly ref: string;
  readonly tree: string;
  readonly published: Date;
};

const stateSchema = z.object({
  repository: z.string(),
  reference: z.string(),
  generations: z.array(
    z.object({ commit: z.string(), ref: z.string(), tree: z.string(), published: z.iso.datetime() }),
  ),
});
type State = z.output<typeof stateSchema>;

// Readers that entered the tree before the swap finish in it; the one before that goes.
const kept = 2;

export class Generations {
  readonly #workspace: Workspace;
  #list: Generation[] = [];
  #sameSource = false;
  #trusted = true;
  #current: Generation | undefined;

  private constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /** As the last run left it. Rejects with GIT_LINK_TAKEN. */
  static async open(workspace: Workspace): Promise<Generations> {
    const generations = new Generations(workspace);
    const { repository, reference } = workspace;
    const state = await readState(workspace);
    generations.#sameSource = state?.repository === repository.url && state.reference === reference.written;
    generations.#list = (state?.generations ?? []).map(({ commit, ref, tree, published }) => ({
      commit,
      ref,
      tree: join(workspace.root, tree),
      published: new Date(published),
    }));
    const tree = await linkedTree(workspace);
    if (tree) generations.#current = await generations.#find(tree);
    return generations;
  }

  /** Whether the last run followed the same reference of the same repository. */
  get sameSource(): boolean {
    return this.#sameSource;
  }

  /** What the link points to. */
  get current(): Generation | undefined {
    return this.#current;
  }

  /** Newest first. */
  get list(): readonly Generation[] {
    return this.#list;
  }

  /** The link points to it now. */
  add(generation: Generation): void {
    this.#current = generation;
    this.#trusted = true;
    this.#list = [generation, ...this.#list.filter(({ tree }) => tree !== generation.tree)].slice(0, kept);
  }

  /** The tree cannot be relied on: the next sync makes another one, and this stays published until then. */
  distrust(): void {
    this.#trusted = false;
  }

  /** Whether this commit is published, and link and tree are still there: somebody may have removed either. */
  async stands(commit: string): Promise<boolean> {
    if (!this.#trusted || this.#current?.commit !== commit) return false;
    const { tree } = this.#current;
    if ((await linkedTree(this.#workspace)) !== tree) return false;
    return lstat(join(tree, '.git')).then(
      () => true,
      () => false,
    );
  }

  /** Removes what no generation needs: older ones, and half-made ones of a run that was killed. */
  async removeOthers(): Promise<void> {
    const { treesDirectory } = this.#workspace;
    const linked = await linkedTree(this.#workspace);
    const needed = [linked, ...this.#list.map(({ tree }) => tree)].flatMap((tree) =>
      tree ? [relative(treesDirectory, tree).split('/')[0]] : [],
    );
    for (const name of await readdir(treesDirectory).catch(() => [])) {
      if (!needed.includes(name)) await rm(join(treesDirectory, name), { recursive: true, force: true });
    }
  }

  async save(): Promise<void> {
    const { stateFile, root, repository, reference } = this.#workspace;
    const state: State = {
      repository: repository.url,
      reference: reference.written,
      generations: this.#list.map(({ commit, ref, tree, published }) => ({
        commit,
        ref,
        tree: relative(root, tree),
        published: published.toISOString(),
      })),
    };
    await publishFile(stateFile, `${JSON.stringify(state)}\n`);
    this.#sameSource = true;
  }

  /** A run that was killed right after the swap has not noted it. */
  async #find(tree: string): Promise<Generation> {
    const noted = this.#list.find((each) => each.tree === tree);
    if (noted) return noted;
    const { mtime } = await lstat(this.#workspace.link);
    const found = { commit: commitOf(tree), ref: '', tree, published: mtime };
    this.#list = [found, ...this.#list].slice(0, kept);
    return found;
  }
}

/** Undefined when there is none, or a damaged one: it holds nothing that the next sync does not find out again. */
async function readState({ stateFile }: Workspace): Promise<State | undefined> {
  try {
    return stateSchema.parse(JSON.parse(await readFile(stateFile, 'utf8')));
  } catch {
    return undefined;
  }
}
