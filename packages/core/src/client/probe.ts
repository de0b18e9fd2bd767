// What a probe says, for programs.

import type { Answered } from './problem-error.ts';

export type Probe = 'livez' | 'readyz' | 'startupz';

export type ProbeOptions = {
  /** List the checks also when all of them pass. */
  readonly verbose?: boolean;
  /** Checks that do not count. */
  readonly exclude?: readonly string[];
  /** This check alone. */
  readonly name?: string;
};

export type ProbeCheck = {
  readonly name: string;
  readonly ok: boolean;
  /** Why it fails. */
  readonly reason?: string;
  /** ISO time since when it fails. */
  readonly since?: string;
};

export type ProbeAnswer = {
  readonly status: number;
  readonly ok: boolean;
  /** As far as they were listed: all of them when one fails, or when asked for. */
  readonly checks: readonly ProbeCheck[];
  /** As it was said. */
  readonly text: string;
};

export function probePath(probe: Probe, { verbose = false, exclude = [], name }: ProbeOptions): string {
  const query = [...(verbose ? ['verbose'] : []), ...exclude.map((each) => `exclude=${encodeURIComponent(each)}`)];
  const check = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `/${probe}${check}${query.length > 0 ? `?${query.join('&')}` : ''}`;
}

export function parseProbe({ status, text }: Answered): ProbeAnswer {
  // What was left out was not looked at either.
  const lines = text.matchAll(
    /^\[([+-])\](?!.* excluded: ok$)(.+?) (?:ok|failed(?:: (.*?))?(?: since (\d{4}-\S+))?)$/gm,
  );
  const checks = [...lines].map(([, sign, name, reason, since]) => ({
    name: name!,
    ok: sign === '+',
    ...(reason !== undefined && { reason }),
    ...(since !== undefined && { since }),
  }));
  return { status, ok: status === 200, checks, text };
}
