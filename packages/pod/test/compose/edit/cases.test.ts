// Each manifest of cases/edit has beside it what it is with a proxy and a log-shipper. UPDATE=1 writes them anew.

import { globSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { AddedItem, Addition, Place } from '../../../src/compose/addition.ts';
import { addTo, takeFrom } from '../../../src/compose/edit/edit.ts';
import { parseSource } from '../../../src/manifest/source.ts';
import { applied } from './apply.ts';

const packages = fileURLToPath(new URL('../../../../../', import.meta.url));
const directory = fileURLToPath(new URL('../../cases/edit/', import.meta.url));
const names = readdirSync(directory).filter((name) => !name.includes('.added.'));

const templates: Readonly<Record<string, Place>> = {
  Pod: [],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
};

const sidecar = (name: string, port: number, more: object) => ({
  name,
  image: `outrigger/${name}:0.1.0`,
  restartPolicy: 'Always',
  ...more,
  ports: [{ name: `${name}-admin`, containerPort: port }],
  startupProbe: { httpGet: { path: '/startupz', port: `${name}-admin` }, periodSeconds: 1, failureThreshold: 30 },
  lifecycle: { preStop: { exec: { command: ['sidecar', 'prestop'] } } },
  resources: { requests: { cpu: '10m', memory: '40Mi' }, limits: { memory: '96Mi' } },
});

const list = `sidecars:
  - role: proxy
    parameters: { upstream: "http://127.0.0.1:8080" }
  - role: log-shipper
`;

function additionsFor(kind: string, hasSetup: boolean): { template: Place; additions: Addition[] } {
  const template = templates[kind] ?? ['spec', 'template'];
  const spec = [...template, 'spec'];
  const item = (list: Place, one: Record<string, unknown>, at: AddedItem['at']): Addition => ({
    list: [...spec, ...list],
    key: 'mountPath' in one ? 'mountPath' : 'name',
    item: one,
    at,
  });
  const shipper = sidecar('log-shipper', 9402, {
    args: ['--source-file-paths=/logs/*.log*', '--state-directory=/state'],
    volumeMounts: [{ name: 'outrigger-logs', mountPath: '/logs', readOnly: true }],
  });
  return {
    template,
    additions: [
      { map: spec, field: 'shareProcessNamespace', value: true },
      item(['initContainers'], sidecar('proxy', 9401, { args: ['--upstream=http://127.0.0.1:8080'] }), 'start'),
      item(['initContainers'], shipper, hasSetup ? { after: 'setup' } : 'start'),
      item(['volumes'], { name: 'outrigger-logs', emptyDir: {} }, 'end'),
      item(['volumes'], { name: 'outrigger-state', emptyDir: { sizeLimit: '16Mi' } }, 'end'),
      item(
        ['containers', { name: 'billing' }, 'volumeMounts'],
        { name: 'outrigger-logs', mountPath: '/var/log' },
        'end',
      ),
      { map: [...template, 'metadata', 'annotations'], field: 'outrigger.dev/sidecars', value: list },
    ],
  };
}

test.for(names)('%s', (name) => {
  const text = readFileSync(directory + name, 'utf8');
  const value = parseSource(name, text).documents[0]!.value as { kind: string };
  const { template, additions } = additionsFor(value.kind, text.includes('name: setup'));
  const first = addTo(text, 0, additions);
  const stamp: Addition = {
    map: [...template, 'metadata', 'annotations'],
    field: 'outrigger.dev/composed',
    value: JSON.stringify({ version: '0.1.0', input: 'sha256:0', added: first.added }),
  };
  const second = addTo(first.text, 0, [stamp]);
  const golden = directory + name.replace(/\.(\w+)$/, '.added.$1');
  if (process.env.UPDATE) writeFileSync(golden, second.text);
  expect(second.text).toBe(readFileSync(golden, 'utf8'));
  expect(parseSource(golden, second.text).documents[0]!.value).toEqual(applied(value, [...additions, stamp]));
  expect(takeFrom(second.text, 0, [...first.added, ...second.added])).toEqual({ text, missing: [] });
});

const manifests = globSync(['examples/*/pod.yaml', 'packages/pod/test/cases/check/*.yaml'], { cwd: packages });

test.for(manifests)('%s is given back', (name) => {
  const text = readFileSync(packages + name, 'utf8');
  const { documents } = parseSource(name, text);
  for (const [index, { value }] of documents.entries()) {
    const additions: Addition[] = [
      { map: ['metadata', 'annotations'], field: 'outrigger.dev/sidecars', value: list },
      { list: ['spec', 'initContainers'], key: 'name', item: sidecar('proxy-2', 9401, {}), at: 'start' },
      { list: ['spec', 'volumes'], key: 'name', item: { name: 'outrigger-state', emptyDir: {} }, at: 'end' },
    ];
    const { text: edited, added } = addTo(text, index, additions);
    expect(parseSource(name, edited).documents[index]!.value).toEqual(applied(value, additions));
    expect(takeFrom(edited, index, added)).toEqual({ text, missing: [] });
  }
});
