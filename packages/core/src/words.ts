// `prestop` and `health live|ready|startup`: the same program asks its running self, for hooks and probes by command. And
// the words of a sidecar's own.

import { connectable } from './address.ts';
import { type Client, openClient, type Probe, ProblemError } from './client/client.ts';
import { reasonOf } from './errors.ts';
import type { Environment } from './parameters/given.ts';
import { renderWordHelp } from './parameters/help.ts';
import { type Entry, entriesOf } from './parameters/names.ts';
import { nearest } from './parameters/nearest.ts';
import { allParameters, defaultAdminPort, type OpenParameters } from './parameters/open-parameters.ts';
import type { Parameters } from './parameters/parameter.ts';
import { formatProblems, isWrongParameter, ParameterProblem, type Problem } from './parameters/problem.ts';
import { problemIn } from './parameters/problem-in.ts';
import { resolveParameters } from './parameters/resolve.ts';
import { openSources } from './parameters/sources.ts';
import { standardParameters } from './parameters/standard.ts';
import type { AnySidecar, Word } from './sidecar.ts';

const probes: Readonly<Record<string, Probe>> = { live: 'livez', ready: 'readyz', startup: 'startupz' };

/** Rejects with what is to be said when it is not so. */
type Request = (client: Client) => Promise<unknown>;

/** Returns the exit code: 0 done or healthy, 1 not, 64 for unknown words. */
export async function sendWord(
  { name, words: own = {} }: AnySidecar,
  { words, values, problems }: OpenParameters,
): Promise<number> {
  const wanted = parseWords(words, { name, own: Object.keys(own) });
  if (typeof wanted === 'string') return complain(wanted, 64);
  const wrong = problems.find(({ parameter }) => parameter.startsWith('--admin-'));
  if (wrong || !values.adminAddress) return complain(`--admin-address: ${wrong?.message}`, 64);
  using client = openClient(values.adminAddress, { token: values.adminToken, maxBody: 64 * 1024 });
  try {
    await wanted(client);
    return 0;
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof ProblemError) return complain(message, 1);
    return complain(`${connectable(values.adminAddress)} does not answer: ${message}`, 1);
  }
}

type Known = { readonly name: string; readonly own: readonly string[] };

function parseWords([word = '', argument, ...more]: readonly string[], { name, own }: Known): Request | string {
  if (word === 'prestop' && argument === undefined) return (client) => client.request('POST /v1/prestop');
  const probe = probes[argument ?? ''];
  if (word === 'health' && probe && more.length === 0) return (client) => demand(client, probe);
  if (word === 'health') return 'health live, health ready or health startup is expected';
  if (own.includes(word)) return `${word} comes first: ${name} ${word} --help lists its parameters`;
  const guess = nearest(word, ['prestop', 'health', ...own]);
  return `"${word}" is unknown${guess ? `; did you mean ${guess}?` : '; --help lists parameters and words'}`;
}

async function demand(client: Client, probe: Probe): Promise<void> {
  const { ok, status, text } = await client.probe(probe);
  if (!ok) throw new ProblemError(`GET /${probe}`, { status, code: 'UNHEALTHY', detail: text.trim() });
}

type Invoked = {
  readonly name: string;
  readonly word: Word;
  readonly argv: readonly string[];
  readonly env: Environment;
};

/** Returns the exit code: the word's own, 64 for wrong parameters, 1 when it fails. */
export async function runWord(sidecar: AnySidecar, { name, word, argv, env }: Invoked): Promise<number> {
  const title = `${sidecar.name} ${name}`;
  const { parameters, known } = shared(sidecar, word);
  const from = { argv, env: spokenTo(known, env), known };
  const sources = await openSources(parameters, { ...from, role: sidecar.name });
  const { values, actions, words, problems, effective } = resolveParameters(parameters, { ...from, sources });
  if (actions.has('help')) {
    process.stdout.write(renderWordHelp(title, { ...word, parameters }, effective));
    return 0;
  }
  const strange = (parameter: string): Problem => ({ parameter, message: `unknown; ${title} --help lists parameters` });
  const wrong = [...problems, ...[...actions].map((action) => strange(`--${action}`)), ...words.map(strange)];
  if (wrong.length > 0) return complain(formatProblems(title, wrong), 64);
  try {
    return await word.run({ parameters: values });
  } catch (error) {
    if (error instanceof ParameterProblem) {
      const problem = problemIn(error, entriesOf(parameters), effective);
      return complain(formatProblems(title, [problem]), isWrongParameter(error) ? 64 : 1);
    }
    return complain(`${title} failed: ${reasonOf(error)}`, 1);
  }
}

/**
 * What a word reads, and the parameters that environment, annotations and config file speak to: those of the sidecar. What
 * the word has by the same names comes from there, too; a word that has none of them knows nothing but its flags.
 */
function shared(sidecar: AnySidecar, { parameters }: Word) {
  const all: Parameters = allParameters(sidecar);
  if (!Object.keys(parameters).some((key) => Object.hasOwn(all, key))) return { parameters, known: [] };
  const { config, podInfoDirectory } = standardParameters(sidecar.port ?? defaultAdminPort);
  return { parameters: { ...parameters, config, podInfoDirectory }, known: entriesOf(all) };
}

function spokenTo(known: readonly Entry[], env: Environment): Environment {
  const names = known.flatMap((entry) => [...entry.env, ...entry.former.env]);
  return Object.fromEntries(names.map((name) => [name, env[name]]));
}

function complain(message: string, code: number): number {
  process.stderr.write(`${message}\n`);
  return code;
}
