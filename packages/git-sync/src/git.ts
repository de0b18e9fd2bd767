// Runs git, hardened: no prompt, no hook, no configuration but ours, one transport, credentials for one host. What a
// program says may hold secrets, so everything is redacted before it leaves this file.

import { resolve } from 'node:path';
import { passedOn } from '@outrigger/core';
import type { SimpleGitOptions } from 'simple-git';
import { AskAgain, AskError } from './ask-again.ts';
import type { Credential, Repository } from './repository.ts';
import { supervise, superviseSimpleGit } from './supervise.ts';

/** git ended with an error; the message is what it said, redacted, on one line. */
export class GitError extends Error {
  readonly command: string;
  /** The program itself could not be started. */
  readonly missing: boolean;

  constructor(command: string, said: string, { missing = false }: { missing?: boolean } = {}) {
    super(said || `git ${command} failed without a word`);
    this.name = 'GitError';
    this.command = command;
    this.missing = missing;
  }
}

export type Git = AsyncDisposable & {
  /** A command that asks the remote and needs no local repository: a broken one does not matter to it. */
  ask(args: readonly string[], signal: AbortSignal): Promise<string>;
  /** The same, for the one question that is asked again and again. Warnings are part of the answer. */
  askAgain(args: readonly string[], signal: AbortSignal): Promise<string>;
  /** A command that brings something from the remote into the local repository. */
  bring(args: readonly string[], signal: AbortSignal): Promise<string>;
  /** A command on the local repository alone, or on the tree checked out at `tree`. */
  local(args: readonly string[], signal: AbortSignal, tree?: string): Promise<string>;
};

export type GitOptions = {
  readonly program: string;
  readonly repository: Repository;
  /** Read for every command, so that a rotated password is used at once. */
  readonly credential: () => Credential | undefined;
  readonly root: string;
  readonly gitDirectory: string;
  /** What stands in for the user's configuration. */
  readonly configFile: string;
};

/** In the environment of every git this sidecar starts, so that those of a killed one can be told from others. */
export const rootVariable = 'OUTRIGGER_GIT_ROOT';

export function openGit(given: GitOptions): Git {
  const { program } = given;
  // It is started from another directory.
  const options = { ...given, program: program.includes('/') ? resolve(program) : program };
  const repository = `--git-dir=${options.gitDirectory}`;
  const again = new AskAgain();
  return {
    ask: (args, signal) => run(options, { args, signal, credential: options.credential() }),
    askAgain: (args, signal) => runAgain(options, again, { args, signal, credential: options.credential() }),
    bring: (args, signal) => run(options, { args, where: [repository], signal, credential: options.credential() }),
    local: (args, signal, tree) =>
      run(options, { args, where: tree ? [`--git-dir=${tree}/.git`, `--work-tree=${tree}`] : [repository], signal }),
    [Symbol.asyncDispose]: () => again[Symbol.asyncDispose](),
  };
}

type Run = {
  readonly args: readonly string[];
  readonly where?: readonly string[];
  readonly signal: AbortSignal;
  readonly credential?: Credential | undefined;
};

async function run(options: GitOptions, { args, where = [], signal, credential }: Run): Promise<string> {
  const simpleGit = await load();
  const env = environment(options, credential);
  try {
    return await supervise(
      () =>
        simpleGit(settings(options, env, signal))
          .env(env)
          .raw([...where, ...args]),
      signal,
    );
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const said = redact((error as Error).message, credential ?? options.repository.credential);
    throw new GitError(args[0]!, said, { missing: /^Error: spawn /.test((error as Error).message) });
  }
}

async function runAgain(options: GitOptions, again: AskAgain, { args, signal, credential }: Run): Promise<string> {
  const settings = configuration(options.repository).flatMap((setting) => ['-c', setting]);
  const env = environment(options, credential);
  try {
    return await again.ask({ command: [options.program, ...settings, ...args], env }, signal);
  } catch (error) {
    if (!(error instanceof AskError)) throw error;
    const said = redact(error.message, credential);
    // 127 and 126 are the shell's own: no such program, no permission to run it.
    throw new GitError(args[0]!, said, { missing: error.status === 127 || error.status === 126 });
  }
}

let loaded: Promise<typeof import('simple-git').simpleGit> | undefined;

/** Loaded when first needed: a megabyte that --help and --check do without. */
function load() {
  loaded ??= import('simple-git').then(({ simpleGit }) => {
    superviseSimpleGit();
    return simpleGit;
  });
  return loaded;
}

const settings = (
  { program, repository }: GitOptions,
  env: Record<string, string>,
  abort: AbortSignal,
): Partial<SimpleGitOptions> => ({
  // Not in the root, where git would find a repository by itself.
  baseDir: '/',
  binary: program,
  abort,
  config: configuration(repository),
  allowEnvironment: Object.keys(env).filter((name) => name.startsWith('GIT_')),
  // The end of the output counts, not the end of the process, unless a child of git keeps the output open.
  completion: { onClose: true, onExit: 1_000 },
  errors: (error, { exitCode, stdErr }) => (exitCode === 0 ? error : (error ?? Buffer.concat(stdErr))),
  // simple-git refuses these settings because of what a stranger could make of them. Here they only ever take away.
  unsafe: {
    allowUnsafeCustomBinary: true,
    allowUnsafeConfigPaths: true,
    allowUnsafeHooksPath: true,
    allowUnsafeFsMonitor: true,
    allowUnsafeProtocolOverride: true,
    allowUnsafeCredentialHelper: true,
    allowUnsafeTemplateDir: true,
  },
});

/** Given with the command, it outranks whatever the configuration of the local repository says. */
function configuration({ origin }: Repository): string[] {
  const everywhere = [
    'core.hooksPath=/dev/null',
    'core.fsmonitor=false',
    'core.logAllRefUpdates=false',
    'submodule.recurse=false',
    'gc.autoDetach=false',
    'gc.pruneExpire=now',
    // A remote that sends nothing for this long is given up before the deadline of the whole.
    'http.lowSpeedLimit=1',
    'http.lowSpeedTime=30',
    'credential.helper=',
  ];
  // The function keeps the word that git appends (get, store, erase) from reaching printf.
  const helper = `!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' "$${usernameVariable}" "$${passwordVariable}"; }; f`;
  return origin ? [...everywhere, `credential.${origin}.helper=${helper}`] : everywhere;
}

const usernameVariable = 'OUTRIGGER_GIT_USERNAME';
const passwordVariable = 'OUTRIGGER_GIT_PASSWORD';

/** What an operator sets on the container for TLS and proxies. */
const transport = [
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'all_proxy',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GIT_SSL_CAINFO',
  'GIT_SSL_CAPATH',
];

function environment(options: GitOptions, credential: Credential | undefined): Record<string, string> {
  return {
    ...passedOn(transport),
    // curl would read a .netrc in the user's home.
    HOME: options.gitDirectory,
    // Messages are told apart by their English words.
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: options.configFile,
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_ALLOW_PROTOCOL: options.repository.protocols,
    [rootVariable]: options.root,
    ...(credential && { [usernameVariable]: credential.username, [passwordVariable]: credential.password }),
  };
}

/** On one line, without credentials, without what could forge or colour a line of a terminal. */
export function redact(said: string, credential?: Credential): string {
  const secrets = credential ? [credential.password, encodeURIComponent(credential.password)] : [];
  const clean = secrets
    .filter((secret) => secret.length > 0)
    .reduce((text, secret) => text.replaceAll(secret, '[redacted]'), said)
    .replace(/(:\/\/)[^/?#\s]*@/g, '$1[redacted]@')
    .replace(/\s*\n\s*/g, '; ')
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, '')
    .replace(/(; )+$/, '')
    .trim();
  return clean.length > 600 ? `${clean.slice(0, 300)} ... ${clean.slice(-300)}` : clean;
}
