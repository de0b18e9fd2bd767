// Judge: from answers to the state of a sidecar, and whether somebody should hear of it.

import type { Answer } from './ask.ts';
import { errors } from './errors.ts';

export const states = ['unknown', 'ready', 'failing', 'silent', 'absent'] as const;
export type State = (typeof states)[number];

export type SidecarHealth = {
  readonly name: string;
  readonly url: string;
  readonly state: State;
  readonly phase: string | null;
  readonly version: string | null;
  /** When it came into this state. */
  readonly since: string;
  readonly reason: string | null;
  /** When it was last heard; null for one that has never been there and may not be part of this Pod. */
  readonly lastAnswer: string | null;
};

export const unheard = (name: string, url: URL, now: Date): SidecarHealth => ({
  name,
  url: url.href,
  state: 'unknown',
  phase: null,
  version: null,
  since: now.toISOString(),
  reason: null,
  lastAnswer: null,
});

export function judge(before: SidecarHealth, answer: Answer, now: Date): SidecarHealth {
  const time = now.toISOString();
  const state = stateOf(answer);
  const heard = answer.kind === 'answered';
  return {
    name: before.name,
    url: before.url,
    state,
    phase: (heard && answer.phase) || null,
    version: (heard && answer.version) || null,
    since: state === before.state ? before.since : time,
    reason: (heard ? answer.failing : answer.reason) ?? null,
    lastAnswer: heard ? time : before.lastAnswer,
  };
}

function stateOf(answer: Answer): State {
  if (answer.kind !== 'answered') return answer.kind;
  return answer.failing === undefined ? 'ready' : 'failing';
}

/** The fault to log when a sidecar changed for the worse against expectation. */
export function trouble(before: SidecarHealth, now: SidecarHealth) {
  // A sidecar that was told to leave fails its readiness, then goes: that is how it should be.
  const leaving = [before.phase, now.phase].some((phase) => phase === 'leaving' || phase === 'stopping');
  if (leaving || now.state === before.state) return undefined;
  const fields = { sidecar: now.name, url: now.url, reason: now.reason };
  // Before it has been ready for the first time it is on its way up.
  if (now.state === 'failing' && before.state === 'ready') return errors.MONITOR_SIDECAR_FAILING(fields);
  if (now.state === 'silent') return errors.MONITOR_SIDECAR_SILENT(fields);
  // One that has never been there is not missed: the default list names sidecars that this Pod may not have.
  if (now.state === 'absent' && now.lastAnswer !== null) return errors.MONITOR_SIDECAR_GONE(fields);
  return undefined;
}
