import { mkdir, writeFile } from 'node:fs/promises';
import { scratch } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { OwnFiles } from '../../src/tail/own-files.ts';
import { Paths, Troubles } from '../../src/tail/paths.ts';

const nothing = () => undefined;
const log = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing, setLevel: nothing };

test('a wildcard that goes over the state directory finds nothing that the shipper has written there', async () => {
  await using directory = await scratch();
  const state = directory.join('state');
  const ours = [
    'positions.json',
    'lock',
    'spool/0000000000000001.log',
    'spool/quarantine/1-0-9.bad',
    'dead/2026-11-22.ndjson',
  ];
  const theirs = ['state/app.log', 'state/app/app.log', 'spool/app.log', 'state-of-things/spool/app.log'];
  for (const name of [...ours.map((name) => `state/${name}`), ...theirs]) {
    await mkdir(directory.join(name, '..'), { recursive: true });
    await writeFile(directory.join(name), 'x\n');
  }
  const paths = new Paths([directory.join('**/*')], {
    own: new OwnFiles({ stateDirectory: state }),
    troubles: new Troubles(log),
  });
  const found = await paths.look(0);
  expect(found.map(({ path }) => path).sort()).toEqual(theirs.map((name) => directory.join(name)).sort());
});
