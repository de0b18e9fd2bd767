// The address of the remote repository: what git may be given, with credentials taken out of it.

import { type Options, type Parameter, peersOf, text } from '@outrigger/core';

export type Credential = { readonly username: string; readonly password: string };

export type Repository = {
  /** As git is given it, never with credentials. */
  readonly url: string;
  /** The one transport git may use, and what http may redirect to. */
  readonly protocols: string;
  /** Of an http(s) repository, scheme, host and port: credentials go nowhere else. */
  readonly origin?: string | undefined;
  /** Of a local repository. */
  readonly path?: string | undefined;
  /** Taken out of the URL. */
  readonly credential?: Credential | undefined;
  /** Last part of the path, the default name of the link. */
  readonly leaf: string;
};

const expected = 'https://, http://, file:// or an absolute path is expected';

/** Throws an Error that says what is expected. */
export function parseRepository(written: string): Repository {
  if (/[\u0000-\u001f\u007f]/.test(written)) throw new Error(`${expected}, without control characters`);
  // git runs a helper program for each of these, ext:: any program at all.
  if (/^[\w+.-]+::/.test(written)) throw new Error(`${expected}; remote helpers are refused`);
  const leaf = written.replace(/^\/+|\/+$/g, '').replace(/^.*\//, '');
  if (written.startsWith('/')) return { url: written, protocols: 'file', path: written, leaf };
  if (!URL.canParse(written)) throw new Error(expected);
  const url = new URL(written);
  switch (url.protocol) {
    case 'file:':
      return { url: written, protocols: 'file', path: localPath(url), leaf };
    case 'https:':
    case 'http:':
      return { ...remote(url), leaf };
    default:
      throw new Error(expected);
  }
}

function localPath(url: URL): string {
  if (url.host !== '' || url.pathname === '/') throw new Error('file:///path is expected');
  return decodeURIComponent(url.pathname);
}

function remote(url: URL): Omit<Repository, 'leaf'> {
  // A host such as -oProxyCommand would be an option to whatever program is told to connect to it.
  if (url.hostname.startsWith('-')) throw new Error('a host name that does not start with "-" is expected');
  const [username, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  // git takes credentials line by line: a second line would be something else, another host for example.
  if (/[\u0000-\u001f]/.test(username + password)) throw new Error(`${expected}, without control characters`);
  url.username = '';
  url.password = '';
  return {
    url: url.href,
    protocols: url.protocol === 'https:' ? 'https' : 'http:https',
    origin: url.origin,
    ...(username && { credential: { username, password } }),
  };
}

function formatRepository({ url, credential }: Repository): string {
  if (!credential) return url;
  const whole = new URL(url);
  whole.username = encodeURIComponent(credential.username);
  whole.password = encodeURIComponent(credential.password);
  return whole.href;
}

/** A parameter whose value is a Repository. */
export const repository = (options: Options): Parameter<Repository> => ({
  ...(text(options) as Parameter<unknown>),
  kind: 'repository',
  parse: parseRepository,
  format: (parsed) => formatRepository(parsed as Repository),
  peers: (parsed) => ((parsed as Repository).origin ? peersOf(new URL((parsed as Repository).url)) : []),
  combine: (parsed) => parsed[0] as Repository,
});
