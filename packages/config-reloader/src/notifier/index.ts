import { http } from './http.ts';
import type { NotifierMember } from './notifier.ts';
import { signal } from './signal.ts';

export const notifiers = { http, signal } satisfies Record<string, NotifierMember>;
