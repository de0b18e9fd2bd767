// Which of the certificates of the authorities are let in. One match in any list is enough; without a list all are.

import type { ClientIdentity } from './identity.ts';

export type AllowLists = {
  readonly clientAllowDns?: readonly string[] | undefined;
  readonly clientAllowUri?: readonly string[] | undefined;
  readonly clientAllowCn?: readonly string[] | undefined;
  readonly clientAllowSpki?: readonly string[] | undefined;
};

export const allowLists = [
  'clientAllowDns',
  'clientAllowUri',
  'clientAllowCn',
  'clientAllowSpki',
] as const satisfies (keyof AllowLists)[];

/** Undefined for one that is let in. */
export type Allow = (identity: ClientIdentity) => 'certificate_not_allowed' | 'certificate_uri' | undefined;

const label = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;
const host = (name: string) => name.length <= 253 && name.split('.').every((each) => label.test(each));

/** What the rest of a name under a prefix may be: segments that no reader would clean away. */
const segments = (path: string) =>
  path.split('/').every((each) => /^[A-Za-z0-9._-]+$/.test(each) && each !== '.' && each !== '..');

/** `spiffe://trust-domain/path`: the only form that names somebody. */
export function isSpiffeId(uri: string): boolean {
  const [, domain, path] = /^spiffe:\/\/([a-z0-9._-]{1,255})\/(.+)$/.exec(uri) ?? [];
  return domain !== undefined && path !== undefined && uri.length <= 2048 && segments(path);
}

/** What is wrong with an entry of a list. */
export const entryProblem: Readonly<Record<keyof AllowLists, (entry: string) => string | undefined>> = {
  clientAllowDns: (entry) =>
    host(entry.toLowerCase().replace(/^\*\./, '')) ? undefined : 'a name such as a.example or *.example is expected',
  clientAllowUri: uriProblem,
  clientAllowCn: (entry) => (entry === '' ? 'a common name is expected' : undefined),
  clientAllowSpki: (entry) =>
    /^sha256\/[A-Za-z0-9+/]{43}=$/.test(entry)
      ? undefined
      : 'a pin such as sha256/ and 44 characters of Base64 is expected',
};

function uriProblem(entry: string): string | undefined {
  const expected = 'a URI such as spiffe://domain/service or spiffe://domain/* is expected';
  if (!/^[a-z][a-z0-9+.-]*:[!#-~]+$/i.test(entry) || entry.slice(0, -1).includes('*')) return expected;
  if (entry.endsWith('*') && !entry.endsWith('/*')) return expected;
  return entry.startsWith('spiffe:') && !isSpiffeId(entry.replace(/\*$/, 'any')) ? expected : undefined;
}

export function compileAllow({ clientAllowDns, clientAllowUri, clientAllowCn, clientAllowSpki }: AllowLists): Allow {
  const lists = [clientAllowDns, clientAllowUri, clientAllowCn, clientAllowSpki];
  if (lists.every((list) => list === undefined || list.length === 0)) return () => undefined;
  const dns = dnsMatcher(clientAllowDns ?? []);
  const uri = uriMatcher(clientAllowUri ?? []);
  const names = new Set(clientAllowCn);
  const pins = new Set(clientAllowSpki);
  const byUri = (clientAllowUri?.length ?? 0) > 0;
  const byUriAlone = byUri && lists.every((list) => list === clientAllowUri || !list?.length);
  return (identity) => {
    // With two, whom it names is the choice of who made it: SPIFFE has it refused whatever else it says.
    if (byUri && identity.uris > 1) return 'certificate_uri';
    if (byUriAlone && identity.uris === 0) return 'certificate_uri';
    const matches =
      identity.dns.some(dns) ||
      identity.uri.some(uri) ||
      (identity.cn !== undefined && names.has(identity.cn)) ||
      pins.has(identity.spki);
    return matches ? undefined : 'certificate_not_allowed';
  };
}

/** The allow-lists as live parameters: looked at for each connection, compiled when they are others. */
export class LiveAllow {
  readonly #settings: AllowLists;
  readonly #emptied: (names: readonly (keyof AllowLists)[], all: boolean) => void;
  #lists: readonly AllowLists[keyof AllowLists][];
  #allow: Allow;

  /** @param emptied told of lists that had entries and have none now; `all` when none is left that has */
  constructor(settings: AllowLists, emptied: (names: readonly (keyof AllowLists)[], all: boolean) => void) {
    this.#settings = settings;
    this.#emptied = emptied;
    this.#lists = listsOf(settings);
    this.#allow = compileAllow(settings);
  }

  look(): Allow {
    const [before, lists] = [this.#lists, listsOf(this.#settings)];
    if (lists.every((list, at) => list === before[at])) return this.#allow;
    this.#lists = lists;
    this.#allow = compileAllow(this.#settings);
    const empty = lists.map((list) => !list?.length);
    const emptied = allowLists.filter((_, at) => empty[at] && before[at]?.length);
    if (emptied.length > 0) this.#emptied(emptied, !empty.includes(false));
    return this.#allow;
  }
}

const listsOf = (settings: AllowLists) => allowLists.map((name) => settings[name]);

function dnsMatcher(entries: readonly string[]): (name: string) => boolean {
  const exact = new Set(entries.map((entry) => entry.toLowerCase()));
  const parents = new Set([...exact].filter((entry) => entry.startsWith('*.')).map((entry) => entry.slice(2)));
  return (written) => {
    const name = written.toLowerCase();
    // A certificate for a wildcard names nobody.
    if (!host(name)) return false;
    const dot = name.indexOf('.');
    return exact.has(name) || (dot > 0 && parents.has(name.slice(dot + 1)));
  };
}

function uriMatcher(entries: readonly string[]): (uri: string) => boolean {
  const exact = new Set(entries);
  const prefixes = entries.filter((entry) => entry.endsWith('/*')).map((entry) => entry.slice(0, -1));
  return (uri) => {
    if (uri.startsWith('spiffe:') && !isSpiffeId(uri)) return false;
    if (uri.endsWith('*')) return false;
    return exact.has(uri) || prefixes.some((prefix) => uri.startsWith(prefix) && segments(uri.slice(prefix.length)));
  };
}
