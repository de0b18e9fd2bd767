import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';

type Container = { readonly image: string; readonly securityContext?: object };
type Pod = { readonly spec: { readonly initContainers: Container[]; readonly containers: Container[] } };

const file = new URL('../pod.yaml', import.meta.url);
const pod = parseAllDocuments(readFileSync(file, 'utf8'))
  .map((each) => each.toJS() as { kind: string })
  .find(({ kind }) => kind === 'Pod') as unknown as Pod;
const containers = [...pod.spec.initContainers, ...pod.spec.containers];

test('the images are those of this version', () => {
  const core = readFileSync(new URL('../package.json', import.meta.resolve('@outrigger/core')), 'utf8');
  const { version } = JSON.parse(core) as { version: string };
  expect(containers.map(({ image }) => image.split(':')[1])).toEqual(containers.map(() => version));
});

test('every container keeps the rules of the restricted Pod security standard', () => {
  for (const { securityContext } of containers)
    expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } });
  expect(pod.spec).toMatchObject({
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  });
});
