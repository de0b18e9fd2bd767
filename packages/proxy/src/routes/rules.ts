// The routes file: what it may say, and what a schema cannot find wrong with it.

import { duration, type Reading, size, url } from '@outrigger/core';
import * as z from '@outrigger/core/schema';
import { endpointOf } from '../endpoint.ts';
import { targetOctet, token } from '../http/octets.ts';
import { readEdits } from './header-edits.ts';
import { namesOf, readPath, textOf } from './path.ts';
import {
  covers,
  fitsMethod,
  fitsNames,
  type HostPattern,
  lowerCase,
  type PathPrefix,
  type Redirect,
  type Rule,
} from './rule.ts';

const text = z.string();
const quantity = z.union([text, z.number()]);
const fields = z.optional(z.record(text, text));
const denial = 'a status from 400 to 599 is expected';

const ruleSchema = z.strictObject({
  name: z.optional(text),
  host: z.optional(text),
  path: z.optional(text),
  ignoreCase: z.optional(z.boolean()),
  methods: z.optional(z.array(text).check(z.minLength(1, 'at least one method is expected'))),
  deny: z.optional(z.int(denial).check(z.gte(400, denial), z.lte(599, denial))),
  redirect: z.optional(
    z.strictObject({
      to: text,
      status: z.optional(z.literal([301, 302, 303, 307, 308])),
      keepPath: z.optional(z.boolean()),
    }),
  ),
  upstream: z.optional(text),
  replacePrefix: z.optional(text),
  request: z.optional(z.strictObject({ set: fields, add: fields, remove: z.optional(z.array(text)) })),
  response: z.optional(z.strictObject({ set: fields, add: fields, remove: z.optional(z.array(text)) })),
  bodyLimit: z.optional(quantity),
  upstreamTimeout: z.optional(quantity),
});

const mostRules = 500;

export const routesSchema = z.strictObject({
  rules: z.array(ruleSchema).check(z.maxLength(mostRules, `at most ${mostRules} rules are expected`)),
});

export type WrittenRule = z.output<typeof ruleSchema>;

export type RoutesFile = {
  readonly file: string;
  readonly rules: readonly Rule[];
  /** Each rule as it stands in the file. */
  readonly written: ReadonlyMap<Rule, WrittenRule>;
};

/** Undefined: nothing is wrong. */
type Say = (message: string | undefined, ...path: (string | number)[]) => void;

export function readRoutes(accepted: z.output<typeof routesSchema>, { file, place, problem }: Reading): RoutesFile {
  const written = new Map<Rule, WrittenRule>();
  const sound: Rule[] = [];
  for (const [index, each] of accepted.rules.entries()) {
    let problems = 0;
    const say: Say = (message, ...path) => {
      if (message === undefined) return;
      problems++;
      problem(message, 'rules', index, ...path);
    };
    const rule = readRule(each, { name: each.name ?? `rules[${index}]`, place: place('rules', index) }, say);
    // What a wrong rule would be for is anybody's guess.
    if (problems === 0) checkAgainst(sound, rule, say);
    if (problems === 0) sound.push(rule);
    written.set(rule, each);
  }
  return { file, rules: sound, written };
}

/** The name of what requests get for which there is no rule. */
export const otherwiseName = 'otherwise';

function readRule(written: WrittenRule, about: Pick<Rule, 'name' | 'place'>, say: Say): Rule {
  say(nameProblem(written.name), 'name');
  checkAction(written, say);
  const path = readPrefix(written, say);
  const quantityOf = (key: 'bodyLimit' | 'upstreamTimeout', parse: (each: string) => unknown) =>
    attempt(
      written[key],
      (each) => Number(parse(each)),
      (message) => say(message, key),
    );
  return {
    ...about,
    host: readHost(written.host, say),
    path,
    methods: readMethods(written.methods, say),
    deny: written.deny,
    redirect: readRedirect(written, path?.names.length ?? 0, say),
    upstream: attempt(written.upstream, upstreamOf, (message) => say(message, 'upstream')),
    replacement: readReplacement(written.replacePrefix, say),
    request: readEdits(written.request, (message, ...at) => say(message, 'request', ...at)),
    response: readEdits(written.response, (message, ...at) => say(message, 'response', ...at)),
    bodyLimit: quantityOf('bodyLimit', bodyLimit.parse),
    upstreamTimeout: quantityOf('upstreamTimeout', upstreamTimeout.parse),
  };
}

// The same words and units as in the parameters that these stand in for.
const bodyLimit = size({ help: 'Largest body of a request' });
const upstreamTimeout = duration({ min: '50ms', help: 'How long the application may take' });
const upstream = url({ schemes: ['http', 'h2c', 'unix'], example: 'http://127.0.0.1:9000', help: 'The application' });

function upstreamOf(written: string): string {
  const parsed = upstream.parse(written) as URL;
  endpointOf(parsed);
  return parsed.href;
}

function attempt<T>(
  written: string | number | undefined,
  parse: (written: string) => T,
  say: (message: string) => void,
): T | undefined {
  if (written === undefined) return undefined;
  try {
    return parse(String(written));
  } catch (error) {
    say((error as Error).message);
    return undefined;
  }
}

function nameProblem(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  if (name === otherwiseName) return `${name} is what requests get for which there is no rule`;
  return /^[a-zA-Z0-9]([\w .-]{0,62}\w)?$/.test(name)
    ? undefined
    : 'a name of at most 64 letters and digits is expected';
}

const actions = ['deny', 'redirect', 'upstream'] as const;
const forwarding = ['replacePrefix', 'request', 'response', 'bodyLimit', 'upstreamTimeout'] as const;

/** A key without effect is a mistake: of a rule that denies, nothing is left to be changed. */
function checkAction(written: WrittenRule, say: Say): void {
  const [action, ...further] = actions.filter((each) => written[each] !== undefined);
  for (const each of further) say(`the rule has ${action} already`, each);
  if (action !== undefined && action !== 'upstream')
    for (const each of forwarding) if (written[each] !== undefined) say(`has no effect together with ${action}`, each);
  if (written.ignoreCase !== undefined && written.path === undefined) say('has no effect without path', 'ignoreCase');
}

function readHost(written: string | undefined, say: Say): HostPattern | undefined {
  if (written === undefined) return undefined;
  const name = lowerCase(written).replace(/\.$/, '');
  const wildcard = name.startsWith('*.');
  if (!/^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$|^\[[0-9a-f:.]+\]$/.test(name))
    say('a host such as example.com or *.example.com is expected, without scheme and port', 'host');
  return { octets: Buffer.from(wildcard ? name.slice(1) : name, 'latin1'), wildcard };
}

function readMethods(written: readonly string[] | undefined, say: Say): ReadonlySet<string> | undefined {
  if (written === undefined) return undefined;
  for (const [index, method] of written.entries()) {
    if (!method || ![...Buffer.from(method)].every((octet) => token[octet] === 1))
      say('a method is expected', 'methods', index);
    else if (method !== method.toUpperCase())
      say(`methods have their case: ${method.toUpperCase()} is expected`, 'methods', index);
  }
  // Whoever may GET may have the same without its body, and whoever may not may not have it without, either.
  return new Set(written.includes('GET') ? [...written, 'HEAD'] : written);
}

function readPrefix({ path, ignoreCase = false }: WrittenRule, say: Say): PathPrefix | undefined {
  if (path === undefined) return undefined;
  const read = plainPath(path);
  if (typeof read === 'string') {
    say(read, 'path');
    return undefined;
  }
  const names = ignoreCase ? read.names.map(lowerCase) : read.names;
  return names.length === 0 ? undefined : { octets: Buffer.from(textOf(names, false), 'latin1'), names, ignoreCase };
}

/** A path as it may stand in a file, as people write it; or what is wrong with it. */
function plainPath(written: string): { readonly names: readonly string[] } | string {
  if (!written.startsWith('/')) return 'a path such as /admin is expected';
  if (/[?#;\\]|%(2f|5c|3b|3f|23)/i.test(written)) return 'a path without ?, #, ;, \\ and escaped slashes is expected';
  const read = readPath(Buffer.from(written).toString('latin1'));
  if ('reason' in read) return read.detail;
  if (read.dots || read.doubled) return 'a path without dot segments and doubled slashes is expected';
  return { names: namesOf(read) };
}

function readReplacement(written: string | undefined, say: Say): string | undefined {
  if (written === undefined) return undefined;
  const read = plainPath(written);
  const sendable = [...Buffer.from(written)].every((octet) => targetOctet[octet] === 1);
  if (typeof read === 'string') say(read, 'replacePrefix');
  else if (!sendable)
    say('a path is expected in which everything but visible ASCII characters is escaped', 'replacePrefix');
  return written.replace(/\/$/, '');
}

function readRedirect({ redirect }: WrittenRule, depth: number, say: Say): Redirect | undefined {
  if (!redirect) return undefined;
  const { to, status = 307, keepPath = false } = redirect;
  say(locationProblem(to, keepPath), 'redirect', 'to');
  return { to: keepPath ? to.replace(/\/$/, '') : to, status, keepPath, depth };
}

function locationProblem(to: string, keepPath: boolean): string | undefined {
  const local = /^\/(?![/\\])/.test(to);
  const foreign = URL.canParse(to) ? new URL(to) : undefined;
  const known = local || (/^https?:\/\/[^/]/i.test(to) && foreign?.username === '' && foreign.password === '');
  if (!known || !/^[\x21-\x7e]+$/.test(to)) return 'a URL such as https://example.com/new or a path is expected';
  return keepPath && /[?#]/.test(to) ? 'has a query or fragment, to which no path can be appended' : undefined;
}

function checkAgainst(before: readonly Rule[], rule: Rule, say: Say): void {
  const same = before.find(({ name }) => name === rule.name);
  if (same) say(`${same.place} has this name`, 'name');
  const earlier = before.find((each) => covers(each, rule));
  if (earlier) say(`is never reached: ${earlier.name} at ${earlier.place} is for all of its requests`);
  if (leadsBack(rule, before)) say('it leads back to this rule', 'redirect', 'to');
}

/** On the same host, to a path that no rule before this one is for. */
function leadsBack(rule: Rule, before: readonly Rule[]): boolean {
  const to = rule.redirect?.to ?? '';
  const read = to.startsWith('/') && fitsMethod(rule, 'GET') ? readPath(to.replace(/[?#].*/s, '')) : undefined;
  if (!read || 'reason' in read) return false;
  const names = namesOf(read);
  return fitsNames(rule, names) && !before.some((each) => fitsNames(each, names));
}
