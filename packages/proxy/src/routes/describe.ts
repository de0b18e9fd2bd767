// The rules for people: GET /v1/routes, and GET /v1/explain, which asks the router itself.

import * as z from '@outrigger/core/schema';
import { REFUSED } from '../http/fields.ts';
import { type Refusal, refusals } from '../http/refusal.ts';
import { mostTarget, RequestHead } from '../http/request-head.ts';
import { namesOf, readPath } from './path.ts';
import { redirectLocation, splitTarget } from './rewrite.ts';
import { isRefusal, type Router } from './router.ts';
import { fitsHost, fitsNames, type Rule } from './rule.ts';
import type { RoutesFile, WrittenRule } from './rules.ts';

const editedNames = z.object({ set: z.array(z.string()), add: z.array(z.string()), remove: z.array(z.string()) });
const action = z.enum(['forward', 'deny', 'redirect', 'refuse']);

/** A rule as GET /v1/routes shows it. Of headers the names alone: a value may be a credential. */
export const listedRule = z.object({
  name: z.string(),
  place: z.string(),
  action,
  host: z.optional(z.string()),
  path: z.optional(z.string()),
  ignoreCase: z.optional(z.boolean()),
  methods: z.optional(z.array(z.string())),
  status: z.optional(z.int()),
  location: z.optional(z.string()),
  keepPath: z.optional(z.boolean()),
  upstream: z.optional(z.string()),
  replacePrefix: z.optional(z.string()),
  request: z.optional(editedNames),
  response: z.optional(editedNames),
  bodyLimitBytes: z.optional(z.number()),
  upstreamTimeoutSeconds: z.optional(z.number()),
});

/** @param upstream that of --upstream */
export const listRules = (file: RoutesFile | undefined, upstream: string): z.output<typeof listedRule>[] =>
  (file?.rules ?? []).map((rule) => describe(rule, file!.written.get(rule) ?? {}, upstream));

const actionOf = ({ deny, redirect }: Rule) =>
  deny !== undefined ? ('deny' as const) : redirect ? ('redirect' as const) : ('forward' as const);

function describe(rule: Rule, written: WrittenRule, upstream: string): z.output<typeof listedRule> {
  const { host, path, ignoreCase, methods, replacePrefix, request, response } = written;
  const { name, place, deny, redirect, bodyLimit, upstreamTimeout } = rule;
  const shown = {
    ...{ name, place, action: actionOf(rule), host, path, ignoreCase, methods, replacePrefix },
    status: deny ?? redirect?.status,
    location: written.redirect?.to,
    keepPath: redirect?.keepPath,
    upstream: actionOf(rule) === 'forward' ? (rule.upstream ?? upstream) : undefined,
    request: request && namesIn(request),
    response: response && namesIn(response),
    bodyLimitBytes: bodyLimit,
    upstreamTimeoutSeconds: upstreamTimeout && upstreamTimeout / 1000,
  };
  return Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== undefined)) as z.output<
    typeof listedRule
  >;
}

const namesIn = ({ set = {}, add = {}, remove = [] }: NonNullable<WrittenRule['request']>) => ({
  set: Object.keys(set),
  add: Object.keys(add),
  remove,
});

export const question = z.object({
  path: z._default(z.string(), '/'),
  host: z.optional(z.string()),
  method: z.optional(z.string()),
});

export const explanation = z.object({
  action,
  rule: z.optional(z.string()),
  status: z.optional(z.int()),
  reason: z.optional(z.string()),
  detail: z.optional(z.string()),
  location: z.optional(z.string()),
  upstream: z.optional(z.string()),
  cleanedPath: z.optional(z.string()),
  forwardedPath: z.optional(z.string()),
  why: z.array(z.object({ rule: z.string(), matched: z.boolean(), because: z.string() })),
});

type Question = z.output<typeof question>;
type Explanation = z.output<typeof explanation>;

/** What would become of a request. It is made and read like a real one, so this is no second opinion. */
export function explain(
  { router, file, upstream }: { router: Router; file: RoutesFile | undefined; upstream: string },
  asked: Question,
): Explanation {
  const { octets, head, refusal } = requestFor(asked);
  if (refusal) return { ...refused(refusal), why: [] };
  const found = router.find(octets, head);
  const target = head.rewritten ?? asked.path;
  const read = target.startsWith('/') ? readPath(splitTarget(target).path) : undefined;
  const clean = read && !('reason' in read) ? read : undefined;
  const about = { ...(clean && { cleanedPath: clean.text }) };
  if (isRefusal(found)) return { ...refused(found), ...about, why: [] };
  return {
    ...{ action: actionOf(found), rule: found.name, ...about },
    ...outcomeOf(found, { octets, head, target: router.target ?? target, upstream }),
    why: reasonsFor(found, { file, asked, names: clean ? namesOf(clean) : [] }),
  };
}

const refused = ({ status, reason, detail }: Refusal) => ({ action: 'refuse' as const, status, reason, detail });

function requestFor({ path, host, method = 'GET' }: Question): {
  readonly octets: Buffer;
  readonly head: RequestHead;
  readonly refusal: Refusal | undefined;
} {
  // HTTP/1.0 knows requests without a host.
  const rest = host === undefined ? 'HTTP/1.0\r\n\r\n' : `HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  const octets = Buffer.from(`${method} ${path} ${rest}`);
  const head = new RequestHead();
  const after = head.read(octets, 0, { end: octets.length, most: 2 * mostTarget });
  // What ends too early brought line ends of its own.
  const whole = after === octets.length && head.fields.count === (host === undefined ? 0 : 1);
  const refusal = after === REFUSED ? head.refusal : whole ? undefined : refusals.target;
  return { octets, head, refusal };
}

type Outcome = {
  readonly octets: Buffer;
  readonly head: RequestHead;
  readonly target: string;
  readonly upstream: string;
};

function outcomeOf(rule: Rule, { octets, head, target, upstream }: Outcome): Partial<Explanation> {
  const { deny, redirect } = rule;
  if (deny !== undefined) return { status: deny };
  if (redirect) return { status: redirect.status, location: redirectLocation(redirect, head, octets) };
  return { upstream: rule.upstream ?? upstream, forwardedPath: target };
}

type Asked = { readonly file: RoutesFile | undefined; readonly asked: Question; readonly names: readonly string[] };

/** Of each rule up to the one that was found. */
function reasonsFor(found: Rule, { file, asked, names }: Asked): Explanation['why'] {
  const rules = file?.rules ?? [];
  const tried = rules.includes(found) ? rules.slice(0, rules.indexOf(found)) : rules;
  const why = tried.map((rule) => {
    const because = misfitOf(rule, file?.written.get(rule) ?? {}, asked, names);
    return { rule: rule.name, matched: false, because };
  });
  const because = rules.includes(found) ? 'the first rule that fits' : 'no rule fits';
  return [...why, { rule: found.name, matched: true, because }];
}

function misfitOf(rule: Rule, written: WrittenRule, { host = '' }: Question, names: readonly string[]): string {
  const octets = Buffer.from(host.replace(/:\d*$/, '').replace(/\.$/, ''));
  if (!fitsHost(rule, octets, 0, octets.length)) return `the host is not ${written.host}`;
  if (!fitsNames(rule, names)) return `the path is not under ${written.path}`;
  return `the method is not one of ${written.methods?.join(', ')}`;
}
