// A log that says nothing, for parts that are tested without a sidecar around them.

import type { Log } from '@outrigger/core';

const nothing = () => undefined;

export const silent: Log = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  setLevel: nothing,
};
