// Ways to tell the application: the family, and what a role needs to build one of its own.

import { exec } from './exec.ts';
import { http } from './http.ts';
import type { NotifierMember } from './notifier.ts';
import { signal } from './signal.ts';

export const notifiers = { http, signal, exec } satisfies Record<string, NotifierMember>;

export { notifierErrors } from './errors.ts';
export { execNotifier } from './exec.ts';
export { httpNotifier } from './http.ts';
export type { Notice, Notifier, NotifierMember } from './notifier.ts';
