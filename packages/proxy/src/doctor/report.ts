// The report for people and for programs, and the parameters that follow from it.

import { formatDuration, formatSize } from '@outrigger/core';
import type { Report } from './doctor.ts';
import type { Finding, Suggestion } from './finding.ts';

/** Keys as in the config file, values as they are written there. */
export type Suggested = Readonly<Record<string, string | boolean>>;

export const render = (report: Report, format: 'text' | 'json'): string =>
  format === 'json' ? renderJson(report) : renderText(report);

function renderJson({ target, served, findings }: Report): string {
  const shown = findings.map(({ suggests, ...finding }) => finding);
  const parameters = served ? suggestedBy(target, findings) : {};
  return `${JSON.stringify({ target, served, findings: shown, parameters, flags: flagsOf(parameters) }, null, 2)}\n`;
}

function renderText({ target, served, findings }: Report): string {
  const width = (key: 'id' | 'outcome') => Math.max(...findings.map((each) => each[key].length));
  const [ids, outcomes] = [width('id'), width('outcome')];
  const lines = findings.flatMap(({ id, outcome, evidence, advice }) => [
    `  ${advice ? '!' : ' '} ${id.padEnd(ids)}  ${outcome.padEnd(outcomes)}  ${evidence}`,
    ...(advice ? [`${' '.repeat(ids + outcomes + 8)}${advice}`] : []),
  ]);
  const flags = flagsOf(suggestedBy(target, findings)).join(' ');
  const end = served ? `suggested parameters:\n  ${flags}` : 'The proxy cannot serve it as it is.';
  return `${target}\n${lines.join('\n')}\n\n${end}\n`;
}

/** Of several values for one parameter, the one that is safe for all findings. */
export function suggestedBy(target: string, findings: readonly Finding[]): Suggested {
  const all = findings.flatMap(({ suggests }) => suggests ?? []);
  const least = (key: 'upstreamIdleTimeout' | 'headLimit') => Math.min(...all.map((each) => each[key] ?? Infinity));
  const first = <K extends keyof Suggestion>(key: K) => all.find((each) => each[key] !== undefined)?.[key];
  const [idle, head, h2c] = [least('upstreamIdleTimeout'), least('headLimit'), first('upstream')];
  // Where HTTP/2 is spoken, there is no need to pass connections on unread.
  const mode = h2c ? undefined : first('mode');
  return {
    ...(mode && { mode }),
    upstream: h2c ?? (mode ? target.replace(/^http:/, 'tcp:') : target),
    ...(first('allowPlainUpstream') && { allowPlainUpstream: true }),
    ...(Number.isFinite(idle) && { upstreamIdleTimeout: formatDuration(idle) }),
    ...(Number.isFinite(head) && { headLimit: formatSize(head) }),
  };
}

export const flagsOf = (parameters: Suggested): string[] =>
  Object.entries(parameters).flatMap(([key, value]) => {
    const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return value === true ? [flag] : [flag, String(value)];
  });
