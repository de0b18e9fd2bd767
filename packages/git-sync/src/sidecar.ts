import { access } from 'node:fs/promises';
import { defineSidecar, Fault, ParameterProblem, reasonOf } from '@outrigger/core';
import manifest from '../package.json' with { type: 'json' };
import { routes } from './api.ts';
import { claimRoot } from './claim.ts';
import { credentialOf, credentialProblem } from './credential.ts';
import { errors } from './errors.ts';
import { Follow } from './follow.ts';
import { Generations } from './generations.ts';
import { openGit } from './git.ts';
import { Hooks } from './hooks.ts';
import { metrics } from './metrics.ts';
import { endOrphans } from './orphans.ts';
import { parameters } from './parameters.ts';
import { Store } from './store.ts';
import { Sync } from './sync.ts';
import { linkProblem, openWorkspace, type Workspace } from './workspace.ts';

export const sidecar = defineSidecar({
  name: 'git-sync',
  version: manifest.version,
  summary: 'Keeps a directory at the head of a branch',
  port: 9404,
  parameters,
  metrics,
  errors,
  routes,

  check({ parameters, problem }) {
    const { repo, root, link = repo.leaf } = parameters;
    const misplaced = linkProblem(root, link);
    if (misplaced) problem('link', misplaced);
    const credentials = credentialProblem(parameters);
    if (credentials) problem(...credentials);
  },

  async start(context) {
    const { parameters, health, stack } = context;
    const { repo: repository, ref: reference, root, link = repository.leaf, depth } = parameters;
    const published = health.latch('a commit is published');
    let usable = false;

    const workspace = await openWorkspace({ root, link, repository, reference, depth });
    stack.use(await claimRoot(workspace.root));
    const orphans = await endOrphans(workspace.root);
    if (orphans > 0) context.log.warn('Ended git processes that the last run left behind', { count: orphans });
    const generations = await openGenerations(workspace);

    // What was published may be deleted, or its volume hang: the application would not find what readiness promises. A busy
    // machine is no reason: its time is long.
    health.periodic('content', { period: 5_000, timeout: 10_000 }, async () =>
      usable ? await access(workspace.link).then(() => undefined, reasonOf) : undefined,
    );

    const git = stack.use(
      openGit({ ...workspace, program: parameters.git, credential: () => credentialOf(parameters) }),
    );
    const hooks = new Hooks(context);
    const sync = new Sync({
      workspace,
      git,
      store: new Store(workspace, git),
      generations,
      audience: { ...context, hooks },
      usable() {
        usable = true;
        published.release();
      },
    });
    const follow = new Follow({
      ...context,
      workspace,
      generations,
      sync,
      waiting: (reason) => (usable ? undefined : published.hold(reason)),
      hooks,
      async done() {
        const fault = await hooks.tried();
        if (fault) context.fail(fault);
        else context.stop();
      },
    });
    context.supervise('follow', (signal) => follow.run(signal), { restart: 'fail' });
    return follow;
  },

  status: (follow) => follow.status(),
});

/** Something of somebody's in the place of the link is a wrong parameter, and nothing is done to it. */
async function openGenerations(workspace: Workspace): Promise<Generations> {
  try {
    return await Generations.open(workspace);
  } catch (error) {
    if (error instanceof Fault) throw new ParameterProblem('link', `${error.message}; ${error.hint}`, { cause: error });
    throw error;
  }
}
