// What to follow in the repository: a branch, a tag, a commit or HEAD.

import { type Options, type Parameter, text } from '@outrigger/core';

export type Reference = {
  readonly written: string;
  /** Set when a commit is named: it cannot move, so there is nothing to poll for. */
  readonly commit?: string | undefined;
  /** Full names that it may stand for, in git's own order: a tag goes before a branch of the same name. */
  readonly candidates: readonly string[];
};

/** Throws an Error that says what is expected. */
export function parseReference(written: string): Reference {
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/i.test(written)) return { written, commit: written.toLowerCase(), candidates: [] };
  if (!isReferenceName(written)) throw new Error('a branch, a tag, a full commit hash or HEAD is expected');
  if (written === 'HEAD' || written.startsWith('refs/')) return { written, candidates: [written] };
  return { written, candidates: [`refs/${written}`, `refs/tags/${written}`, `refs/heads/${written}`] };
}

/** The rules of git-check-ref-format, and nothing that could be taken for an option. */
const isReferenceName = (name: string) =>
  !/[\u0000-\u0020\u007f~^:?*[\\]/.test(name) &&
  !/\.\.|@\{|\/\/|^[-/]|[/.]$/.test(name) &&
  name !== '' &&
  name !== '@' &&
  name.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'));

/** A parameter whose value is a Reference. */
export const reference = (options: Options): Parameter<Reference> => ({
  ...(text(options) as Parameter<unknown>),
  kind: 'reference',
  parse: parseReference,
  format: (parsed) => (parsed as Reference).written,
  combine: (parsed) => parsed[0] as Reference,
});
