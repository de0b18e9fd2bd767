// What the system tests ask of the images.

export { allowedLicences } from './gate.ts';
export { type Architecture, architectures, dist, hostArchitecture, type Role, roles, version } from './images.ts';
export { labelsOf } from './labels.ts';
export { blobOf, imageOf, layoutOf } from './layout.ts';
