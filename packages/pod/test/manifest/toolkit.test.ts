import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { declarationOf, programOf, roleOf, roles } from '../../src/manifest/toolkit.ts';

test.for([
  ['outrigger/proxy', 'proxy'],
  ['outrigger/proxy:0.1.0', 'proxy'],
  ['registry.example:5000/team/outrigger/git-sync:v1@sha256:0123', 'git-sync'],
  ['localhost/outrigger/log-shipper', 'log-shipper'],
  ['outrigger/prxy', undefined],
  ['outrigger/proxy/extra', undefined],
  ['my-outrigger/proxy', undefined],
  ['nginx', undefined],
  [undefined, undefined],
] as const)('the image %s is the role %s', ([image, role]) => {
  expect(roleOf(image)).toBe(role);
});

test('every role has a program and a declaration of its own name', async () => {
  for (const role of roles) {
    expect(existsSync(programOf(role))).toBe(true);
    expect((await declarationOf(role)).name).toBe(role);
  }
});
