// Preloaded into a sidecar of the drilled Pod: its wall clock stands still for as long as a file of the sidecar's name is there.

import { statSync } from 'node:fs';

const file = `/drill/${process.env.DRILL_NAME}.frozen`;
const Real = Date;
let frozen;

setInterval(() => {
  const there = statSync(file, { throwIfNoEntry: false }) !== undefined;
  if (there) frozen ??= Real.now();
  else frozen = undefined;
}, 20).unref();

class Stoppable extends Real {
  constructor(...given) {
    super(...(given.length === 0 ? [Stoppable.now()] : given));
  }

  static now() {
    return frozen ?? Real.now();
  }
}

globalThis.Date = Stoppable;
