// The door of @outrigger/core/watch. An entry of its own, so that a sidecar that watches nothing loads nothing of it.

export { watchErrors } from './errors.ts';
export type { Mode } from './listen.ts';
export { type Change, type Look, openWatcher, type Watcher, type WatcherOptions, watchLog } from './watcher.ts';
