// Tells others of each publication: the hooks of kubernetes/git-sync v4, and the notifiers that all sidecars have.

import { once } from 'node:events';
import { type Attempt, type BackoffOptions, type Context, Courier, type Fault } from '@outrigger/core';
import { execNotifier, httpNotifier, type Notice, type Notifier } from '@outrigger/core/notifier';
import { errors } from './errors.ts';
import type { Generation } from './generations.ts';
import type { metrics } from './metrics.ts';
import type { parameters } from './parameters.ts';

type Own = Pick<
  Context<typeof parameters, typeof metrics>,
  'parameters' | 'metrics' | 'log' | 'events' | 'stack' | 'signal'
>;

type Publication = Notice & { readonly tree: string };

type Hook = {
  readonly name: string;
  readonly notifier: Notifier<Publication>;
  readonly timeout: () => number;
  readonly backoff?: BackoffOptions;
};

type Running = {
  readonly name: string;
  readonly courier: Courier<Publication>;
  /** The first attempt has ended, perhaps with a fault. */
  readonly tried: PromiseWithResolvers<Fault | undefined>;
  fault: Fault | undefined;
};

export class Hooks {
  readonly #running: readonly Running[];
  readonly #own: Own;
  #last: Publication | undefined;

  constructor(own: Own) {
    this.#own = own;
    this.#running = hooksOf(own).map((hook) => this.#start(hook));
  }

  /** Each hook goes on until it worked for the newest tree; the same tree again means nothing. */
  bring({ commit: hash, tree }: Generation): void {
    if (tree === this.#last?.tree) return;
    const publication = { generation: (this.#last?.generation ?? 0) + 1, hash, tree };
    this.#last = publication;
    for (const { name, courier } of this.#running) {
      this.#own.metrics.hookPending.set({ hook: name }, 1);
      courier.bring(publication);
    }
  }

  /** When each hook was tried once, with what went wrong first; earlier when the sidecar is told to stop. */
  async tried(): Promise<Fault | undefined> {
    const { signal } = this.#own;
    if (signal.aborted) return undefined;
    const all = Promise.all(this.#running.map(({ tried }) => tried.promise));
    const faults = await Promise.race([all, once(signal, 'abort').then(() => [])]);
    return faults.find((fault) => fault);
  }

  status(): object[] {
    return this.#running.map(({ name, courier, fault }) => ({
      name,
      pending: courier.pending?.hash ?? null,
      failure: fault ? { code: fault.code, message: fault.message } : null,
    }));
  }

  #start({ name, notifier, timeout, backoff }: Hook): Running {
    const { target } = notifier;
    const courier = new Courier<Publication>({
      target,
      deliver: (publication, signal) => notifier.notify(publication, signal),
      timeout,
      ...(backoff && { backoff }),
      ended: (attempt) => this.#ended(running, attempt),
    });
    const running: Running = { name, courier, tried: Promise.withResolvers(), fault: undefined };
    this.#own.metrics.hookPending.set({ hook: name }, 0);
    const stop = async () => {
      await courier[Symbol.asyncDispose]();
      const { pending } = courier;
      if (pending) this.#own.log.warn(errors.GIT_HOOK_UNFINISHED({ hook: name, target, commit: pending.hash }));
    };
    this.#own.stack.defer(stop, { name: `hook ${name}` });
    return running;
  }

  #ended(running: Running, { value, seconds, details, fault }: Attempt<Publication>): void {
    const { metrics, log, events } = this.#own;
    const { name: hook, tried } = running;
    const about = { hook, commit: value.hash };
    metrics.hookRuns.inc({ hook, result: fault ? 'failure' : 'success' });
    metrics.hook.observe({ hook }, seconds);
    running.fault = fault;
    tried.resolve(fault);
    if (fault) {
      log.warn(fault, about);
      events.publish('hook-failed', { ...about, code: fault.code, message: fault.message });
      return;
    }
    if (value === this.#last) metrics.hookPending.set({ hook }, 0);
    log.info('Hook worked', { ...about, ...details });
    events.publish('hook', about);
  }
}

function hooksOf({ parameters, log }: Own): Hook[] {
  const { exechookCommand, webhookUrl: url, webhookMethod: method, webhookSuccessStatus: status } = parameters;
  const hooks: Hook[] = parameters.notify.map(({ name, member, parameters: own }) => ({
    name,
    notifier: member.open(own, { log }),
    timeout: () => parameters.notifyTimeout,
  }));
  if (exechookCommand)
    hooks.push({
      name: 'exechook',
      notifier: execNotifier({
        command: [exechookCommand],
        log,
        place: ({ hash, tree }: Publication) => ({
          directory: tree,
          env: { ...ownEnvironment(), GITSYNC_HASH: hash },
        }),
      }),
      timeout: () => parameters.exechookTimeout,
      backoff: always(parameters.exechookBackoff),
    });
  if (url)
    hooks.push({
      name: 'webhook',
      notifier: httpNotifier({
        url,
        method,
        expected: status > 0 ? String(status) : 'any',
        headers: ({ hash }) => ({ 'gitsync-hash': hash }),
      }),
      timeout: () => parameters.webhookTimeout,
      backoff: always(parameters.webhookBackoff),
    });
  return hooks;
}

const always = (milliseconds: number): BackoffOptions => ({ min: milliseconds, max: milliseconds });

/** All of ours, as with git-sync v4, but for what may hold a password. */
function ownEnvironment(): Record<string, string> {
  const secret = /^(GITSYNC|GIT_SYNC|OUTRIGGER)_(REPO|.*PASSWORD|.*TOKEN|.*URL)$/;
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || secret.test(name) ? [] : [[name, value]],
    ),
  );
}
