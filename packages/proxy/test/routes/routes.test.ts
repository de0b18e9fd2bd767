import { rename, writeFile } from 'node:fs/promises';
import { metricOf, type RunningSidecar, scratch, startSidecar, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { changeOf } from '../../src/routes/routes.ts';
import { fileOf } from './read-routes.ts';

const written = (...rules: string[]) => `rules:\n${rules.map((rule) => `  - { ${rule} }\n`).join('')}`;

const ruleFor = async (sidecar: RunningSidecar, path: string) => {
  const answer = await sidecar.get(`/v1/explain?path=${encodeURIComponent(path)}`);
  return ((await answer.json()) as { rule: string }).rule;
};

const said = (sidecar: RunningSidecar) =>
  sidecar
    .logs()
    .filter(({ message }) => message === 'The changed routes are in use')
    .map(({ added, removed, changed, reordered }) => ({ added, removed, changed, reordered }));

test('a changed file is taken into use, a wrong one is not, and what changed is said', async () => {
  await using directory = await scratch();
  const file = directory.join('routes.yaml');
  await writeFile(file, written('name: a, path: /a, deny: 403', 'name: b, path: /b'));
  await using sidecar = await startSidecar(import.meta.resolve('./sample.ts'), ['--routes-file', file]);
  expect(await ruleFor(sidecar, '/a')).toBe('a');

  await writeFile(file, written('name: a, path: /a, deny: 404', 'name: c, path: /c'));
  await until(async () => (await ruleFor(sidecar, '/c')) === 'c');
  expect(await ruleFor(sidecar, '/b')).toBe('otherwise');
  await until(() => said(sidecar).length === 1);
  expect(said(sidecar)).toEqual([{ added: ['c'], removed: ['b'], changed: ['a'], reordered: false }]);

  await writeFile(file, written('name: a, path: /a, deny: 200', 'name: d, path: d'));
  const refused = 'outrigger_parameter_reloads_total{result="refused"}';
  await until(async () => (await metricOf(sidecar, refused)) === 1);
  expect(await ruleFor(sidecar, '/c')).toBe('c');
  const problems = sidecar.logs().find(({ level }) => level === 'error')!.message;
  expect(problems).toContain('rules[0].deny: a status from 400 to 599 is expected');

  // As an editor or a ..data swap does it; and nobody has to ask for the change to be noticed.
  await writeFile(`${file}.new`, written('name: c, path: /c', 'name: a, path: /a, deny: 404'));
  await rename(`${file}.new`, file);
  await until(() => said(sidecar).length === 2);
  expect(said(sidecar)[1]).toEqual({ added: [], removed: [], changed: [], reordered: true });

  // The same rules at other lines are no change, and are shown where they stand now.
  await writeFile(file, `# a comment\n${written('name: c, path: /c', 'name: a, path: /a, deny: 404')}`);
  await until(async () => (await (await sidecar.get('/v1/routes')).text()).includes('routes.yaml:3:5'));
  expect(said(sidecar)).toHaveLength(2);
});

test('without a file there are no rules', async () => {
  await using sidecar = await startSidecar(import.meta.resolve('./sample.ts'), []);
  expect(await (await sidecar.get('/v1/routes')).json()).toEqual([]);
  expect(await ruleFor(sidecar, '/x')).toBe('otherwise');
});

test('what has changed is told by the names of rules', async () => {
  const [one, two] = await Promise.all([
    fileOf(written('name: a, path: /a', 'name: b, path: /b', 'path: /c')),
    fileOf(written('name: b, path: /b', 'name: n, path: /n', 'path: /d')),
  ]);
  expect(changeOf(one, two)).toEqual({ added: ['n'], removed: ['a'], changed: ['rules[2]'], reordered: false });
  expect(changeOf(undefined, one)).toEqual({
    added: ['a', 'b', 'rules[2]'],
    removed: [],
    changed: [],
    reordered: false,
  });
  expect(changeOf(one, undefined)).toMatchObject({ added: [], removed: ['a', 'b', 'rules[2]'] });
  expect(changeOf(one, one)).toBeUndefined();
});
