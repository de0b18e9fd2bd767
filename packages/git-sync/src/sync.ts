// One sync is one pass through the stages. What may go wrong in between is repaired here, once, around all of them.

import { rm } from 'node:fs/promises';
import { Fault } from '@outrigger/core';
import { checkOut } from './check-out.ts';
import { classify, type Stage } from './classify.ts';
import { fetch } from './fetch.ts';
import type { Generation, Generations } from './generations.ts';
import type { Git } from './git.ts';
import { type Audience, notify, resume } from './notify.ts';
import { type Head, poll } from './poll.ts';
import { linkedTree, publish } from './publish.ts';
import type { Store } from './store.ts';
import { verify } from './verify.ts';
import type { Workspace } from './workspace.ts';

export type Outcome = 'unchanged' | 'published';

export type SyncParts = {
  readonly workspace: Workspace;
  readonly git: Git;
  readonly store: Store;
  readonly generations: Generations;
  readonly audience: Audience;
  /** A tree of the right repository is published: at once when the last run left one. */
  readonly usable: () => void;
};

export class Sync {
  readonly #parts: SyncParts;
  #prepared = false;
  /** A git failed or was ended, so it may have left locks and half a pack. */
  #untidy = false;
  #shadowed: string | undefined;

  constructor(parts: SyncParts) {
    this.#parts = parts;
  }

  /** Rejects with a Fault, or with the signal's reason. What is published stays until something better is. */
  async run(signal: AbortSignal): Promise<Outcome> {
    const repairs = this.#repairs(signal);
    for (let repair: (() => Promise<void>) | undefined; ; ) {
      try {
        if (repair) await this.#stage('local', repair);
        return await this.#pass(signal);
      } catch (error) {
        this.#untidy = true;
        repair = isLocal(error) ? repairs.shift() : undefined;
        if (signal.aborted || !repair) throw error;
        this.#parts.audience.log.warn(error as Fault);
      }
    }
  }

  /** From the mildest on. */
  #repairs(signal: AbortSignal): (() => Promise<void>)[] {
    const { store, generations, audience } = this.#parts;
    const recreate = async () => {
      audience.metrics.recreations.inc();
      // The trees lose the repository they belong to, though not a single file.
      generations.distrust();
      await store.recreate(signal);
    };
    return [() => store.sweep(), recreate];
  }

  async #pass(signal: AbortSignal): Promise<Outcome> {
    const { workspace, git, store, generations, audience } = this.#parts;
    await this.#prepare(signal);

    const head = await this.#poll(signal);
    if (await this.#stage('local', () => generations.stands(head.commit))) {
      this.#parts.usable();
      // After a start nobody knows whether the last run got as far as its hooks.
      audience.hooks.bring(generations.current!);
      // Another name for the same commit: the next start must know whose it is.
      if (!generations.sameSource) await this.#stage('local', () => generations.save());
      return 'unchanged';
    }

    const elapsed = audience.metrics.publication.startTimer();
    const commit = await this.#stage('fetch', () => fetch(workspace, git, { head, signal }));
    const tree = await this.#stage('local', () => this.#tree(commit, signal));
    const generation = { commit, ref: head.ref, tree, published: new Date() };
    await this.#stage('local', () => publish(workspace, tree));
    generations.add(generation);
    elapsed();
    notify(audience, generation);
    // Before readiness: what a ready sidecar was stopped with must be known to be usable by the next run.
    await this.#afterwards(() => generations.save(), signal);
    this.#parts.usable();
    await this.#afterwards(async () => {
      await generations.removeOthers();
      await store.collectGarbage(signal);
    }, signal);
    return 'published';
  }

  /** Before the first poll, and after something went wrong. */
  async #prepare(signal: AbortSignal): Promise<void> {
    const { store } = this.#parts;
    if (!this.#prepared) {
      await this.#stage('local', () => store.open(signal));
      await this.#stage('local', () => this.#resume(signal));
      this.#prepared = true;
    } else if (this.#untidy) {
      await this.#stage('local', () => store.sweep());
    }
    this.#untidy = false;
  }

  /** Takes over what the last run published: a restart while the remote is down costs nothing. */
  async #resume(signal: AbortSignal): Promise<void> {
    const { generations, git, audience } = this.#parts;
    await generations.removeOthers();
    const { current, sameSource } = generations;
    if (!current) return;
    resume(audience, current);
    const found = await verify(current.tree, git, signal).catch((error) => {
      if (signal.aborted) throw error;
      return undefined;
    });
    if (found && sameSource) this.#parts.usable();
    if (found !== 'whole') generations.distrust();
  }

  async #poll(signal: AbortSignal): Promise<Head> {
    const { workspace, git, audience } = this.#parts;
    const elapsed = audience.metrics.poll.startTimer();
    const head = await this.#stage('poll', () => poll(workspace, git, signal));
    elapsed();
    if (head.shadowed && head.shadowed !== this.#shadowed)
      audience.log.warn(`"${workspace.reference.written}" means ${head.ref}, not ${head.shadowed}; write it in full`);
    this.#shadowed = head.shadowed;
    return head;
  }

  /** A verified tree of the commit: the one of the generation before when it goes back to that, else a new one. */
  async #tree(commit: string, signal: AbortSignal): Promise<string> {
    const { workspace, git, generations } = this.#parts;
    const before = generations.list.slice(1).find((each) => each.commit === commit);
    if (before && (await isWhole(before, git, signal))) return before.tree;
    const linked = await linkedTree(workspace);
    const tree = await checkOut(workspace, git, { commit, linked, signal });
    try {
      await verify(tree, git, signal);
      return tree;
    } catch (error) {
      await rm(tree, { recursive: true, force: true });
      throw error;
    }
  }

  /** The commit is published already, so a failure is only said. */
  async #afterwards(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await this.#stage('local', work);
    } catch (error) {
      if (signal.aborted) throw error;
      this.#untidy = true;
      this.#parts.audience.log.warn(error as Fault);
    }
  }

  async #stage<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw classify(error, stage, this.#parts.workspace);
    }
  }
}

async function isWhole({ tree }: Generation, git: Git, signal: AbortSignal): Promise<boolean> {
  try {
    return (await verify(tree, git, signal)) === 'whole';
  } catch (error) {
    if (signal.aborted) throw error;
    return false;
  }
}

const isLocal = (error: unknown) =>
  error instanceof Fault && ['GIT_LOCAL_REPOSITORY', 'GIT_TREE_INCOMPLETE'].includes(error.code);
