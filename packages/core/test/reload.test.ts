import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type RunningSidecar, type Scratch, scratch, startSidecar, until } from '../src/testing/index.ts';

const sample = import.meta.resolve('./fixtures/sample.ts');

/** Makes the directory hold the file as the kubelet does: a new generation, one rename, the old generation removed. */
async function project(directory: Scratch, content: string, generation: number): Promise<void> {
  const name = `..2026_11_21_10_00_0${generation}.${generation}`;
  await mkdir(directory.join(name));
  await writeFile(directory.join(name, 'config.yaml'), content);
  await symlink(name, directory.join('..data_tmp'));
  await rename(directory.join('..data_tmp'), directory.join('..data'));
  if (generation === 1) await symlink('..data/config.yaml', directory.join('config.yaml'));
  else await rm(directory.join(`..2026_11_21_10_00_0${generation - 1}.${generation - 1}`), { recursive: true });
}

type Effective = Record<string, { value: unknown; source: string }>;
const effective = async (sidecar: RunningSidecar) =>
  (await (await sidecar.get('/v1/parameters')).json()) as unknown as Effective;
const metrics = async (sidecar: RunningSidecar) => (await sidecar.get('/metrics')).text();

test('a ConfigMap that is swapped under it is read again: what may change does, the rest is named and stays', async () => {
  await using directory = await scratch();
  await project(directory, 'period: 1m\nloud: false\n', 1);
  await using sidecar = await startSidecar(sample, ['--config', directory.join('config.yaml')]);
  expect(await metrics(sidecar)).toContain('outrigger_watcher_mode{mode="events"} 1\n');
  await project(directory, 'period: 2m\nloud: true\n', 2);
  await until(async () => (await effective(sidecar)).period?.value === '2m', { what: 'the new period' });
  expect((await effective(sidecar)).loud?.value).toBe('false');
  const warning = sidecar.logs().find(({ message }) => message.startsWith('Parameters changed that need a restart'));
  expect(JSON.stringify(warning?.parameters)).toContain('--loud');
  expect(await metrics(sidecar)).toMatch(/outrigger_parameter_reloads_total\{result="changed"\} 1\n/);
});

test('a bad new value is refused whole, said with its place, and the old ones stay until it is mended', async () => {
  await using directory = await scratch();
  await project(directory, 'period: 1m\nlogLevel: info\n', 1);
  await using sidecar = await startSidecar(sample, ['--config', directory.join('config.yaml')]);
  await project(directory, 'logLevel: debug\nperiod: soon\n', 2);
  await until(async () => (await metrics(sidecar)).includes('outrigger_parameter_reloads_total{result="refused"} 1\n'));
  const { message } = sidecar.logs().findLast(({ level }) => level === 'error')!;
  expect(message).toContain('The new parameters are refused and the old ones stay: 1 parameter is wrong');
  expect(message).toContain(`soon (${directory.join('config.yaml')}:2:1): a duration such as`);
  expect((await effective(sidecar)).logLevel?.value).toBe('info');
  await project(directory, 'logLevel: debug\nperiod: 3m\n', 3);
  await until(async () => (await effective(sidecar)).period?.value === '3m');
});

test('a request to read again answers what changed, what needs a restart, and why it is refused', async () => {
  await using directory = await scratch();
  const file = directory.join('config.yaml');
  await writeFile(file, 'period: 1m\n');
  await using sidecar = await startSidecar(sample, ['--config', file]);
  const reload = async () => {
    const response = await sidecar.post('/v1/parameters/reload');
    return { status: response.status, body: (await response.json()) as object };
  };
  expect(await reload()).toMatchObject({ status: 200, body: { changed: [], needRestart: [] } });
  await writeFile(file, 'period: nonsense\n');
  expect(await reload()).toMatchObject({ status: 422, body: { code: 'PARAMETERS' } });
});
