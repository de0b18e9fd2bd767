// In place of a part of a dependency that no sidecar reaches: see bundle.ts.
module.exports = class Absent {
  constructor() {
    throw new Error('this part of a dependency is left out of the bundle');
  }
};
