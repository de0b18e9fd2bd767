// ConfigMaps and Secrets as volumes and variables, and what happens when the manifest changes.

import { readFile, rename, writeFile } from 'node:fs/promises';
import { until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { runPod } from '../outrigger.ts';
import { podText, type TestPod, writePod } from '../write-pod.ts';

const pod = (greeting: string, more: Partial<TestPod> = {}): TestPod => ({
  configMaps: { settings: { greeting, other: 'x' } },
  secrets: { keys: { token: 's3cret' } },
  apps: [
    {
      name: 'app',
      local: 'cat /etc/app/greeting /etc/app/keys/token; echo; echo "$GREETING $TOKEN $FILE"; sleep 600',
      env: [
        { name: 'GREETING', valueFrom: { configMapKeyRef: { name: 'settings', key: 'greeting' } } },
        { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } },
        { name: 'FILE', value: 'file:///etc/app/greeting' },
      ],
      volumeMounts: [
        { name: 'settings', mountPath: '/etc/app' },
        { name: 'keys', mountPath: '/etc/app/keys' },
        { name: 'settings', mountPath: '/frozen', subPath: 'greeting' },
      ],
    },
  ],
  spec: {
    volumes: [
      { name: 'settings', configMap: { name: 'settings' } },
      { name: 'keys', secret: { secretName: 'keys' } },
    ],
  },
  ...more,
});

test('they are files and variables of the container', async () => {
  await using run = await runPod(pod('hello\n'));
  const volumes = run.directory.join('tmp/outrigger-test/volumes');
  await run.said('file://');
  expect(run.lines('app')).toEqual(['hello', 's3cret', 'hello', ` s3cret file://${volumes}/settings/greeting`]);
});

test('a change in the manifest is swapped in, and a broken manifest changes nothing', async () => {
  await using run = await runPod(pod('one'));
  await run.ready();
  const volume = (path: string) => readFile(run.directory.join('tmp/outrigger-test', path), 'utf8');
  expect(await volume('volumes/settings/greeting')).toBe('one');

  await writePod(run.directory.path, pod('two'));
  await run.said('The manifest changed: settings is up to date');
  expect(await volume('volumes/settings/greeting')).toBe('two');
  expect(await volume('sub-paths/app/2')).toBe('one');

  await writeFile(run.directory.join('pod.yaml'), 'apiVersion: v1\nkind: [Pod');
  await run.said('The changed manifest is refused and the old one stays:');
  expect(await volume('volumes/settings/greeting')).toBe('two');

  // As an editor saves: a new file takes the place of the old one.
  await writeFile(run.directory.join('new'), podText(pod('three')));
  await rename(run.directory.join('new'), run.directory.join('pod.yaml'));
  await until(async () => (await volume('volumes/settings/greeting')) === 'three', { what: 'the third text' });
  expect(run.lines('app')).toHaveLength(2);
});

test('a container that starts again has the new values in its environment', async () => {
  await using run = await runPod({
    ...pod('old'),
    apps: [
      { ...pod('').apps![0]!, local: 'echo "$GREETING"; while ! test -e again; do sleep 0.05; done; rm again; exit 1' },
    ],
  });
  await run.ready();
  await writePod(run.directory.path, { ...pod('new'), apps: [{ ...pod('').apps![0]!, local: 'changed' }] });
  await run.said('The Pod itself changed in the manifest');
  await run.said('settings is up to date');
  await writeFile(run.directory.join('again'), '');
  await until(() => run.lines('app').length === 2, { what: 'the second start' });
  expect(run.lines('app')).toEqual(['old', 'new']);
});

test('items choose keys, modes and names; projected volumes put several together', async () => {
  await using run = await runPod({
    ...pod('hi'),
    labels: { app: 'x' },
    apps: [
      {
        name: 'app',
        local: 'cd /all && find . -type l | sort && cat labels && echo && stat -L -c %a secret/token',
        volumeMounts: [{ name: 'all', mountPath: '/all' }],
      },
    ],
    spec: {
      restartPolicy: 'Never',
      volumes: [
        {
          name: 'all',
          projected: {
            defaultMode: 0o444,
            sources: [
              { configMap: { name: 'settings', items: [{ key: 'greeting', path: 'a/b' }] } },
              { secret: { name: 'keys', items: [{ key: 'token', path: 'secret/token', mode: 0o400 }] } },
              { secret: { name: 'absent', optional: true } },
              { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
            ],
          },
        },
      ],
    },
  });
  expect((await run.exited).code).toBe(0);
  expect(run.lines('app')).toEqual(['./..data', './a', './labels', './secret', 'app="x"', '400']);
});
