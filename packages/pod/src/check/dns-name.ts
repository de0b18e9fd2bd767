// RFC 1123 names, as Kubernetes wants them.

const label = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';

export const isDnsLabel = (name: string): boolean => name.length <= 63 && new RegExp(`^${label}$`).test(name);

export const isDnsName = (name: string): boolean =>
  name.length <= 253 && new RegExp(`^${label}(?:\\.${label})*$`).test(name);

export const notAName = (name: string): string =>
  `"${name}" is not a name: lower-case letters, digits and "-" are expected, such as my-app-1`;
