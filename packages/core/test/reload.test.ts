import { expect, test } from 'vitest';
import { makeVolume, metricOf, type RunningSidecar, scratch, startSidecar, until } from '../src/testing/index.ts';

const sample = import.meta.resolve('./fixtures/sample.ts');

type Effective = Record<string, { value: unknown; source: string }>;
const effective = async (sidecar: RunningSidecar) =>
  (await (await sidecar.get('/v1/parameters')).json()) as unknown as Effective;

test('a ConfigMap that is swapped under it is read again: what may change does, the rest is named and stays', async () => {
  await using directory = await scratch();
  const volume = await makeVolume(directory.path, { 'config.yaml': 'period: 1m\nloud: false\n' });
  await using sidecar = await startSidecar(sample, ['--config', directory.join('config.yaml')]);
  expect(await metricOf(sidecar, 'outrigger_watcher_mode{mode="events"}')).toBe(1);
  await volume.swap({ 'config.yaml': 'period: 2m\nloud: true\n' });
  await until(async () => (await effective(sidecar)).period?.value === '2m', { what: 'the new period' });
  expect((await effective(sidecar)).loud?.value).toBe('false');
  const warning = sidecar.logs().find(({ message }) => message.startsWith('Parameters changed that need a restart'));
  expect(JSON.stringify(warning?.parameters)).toContain('--loud');
  expect(await metricOf(sidecar, 'outrigger_parameter_reloads_total{result="changed"}')).toBe(1);
});

test('a bad new value is refused whole, said with its place, and the old ones stay until it is mended', async () => {
  await using directory = await scratch();
  const volume = await makeVolume(directory.path, { 'config.yaml': 'period: 1m\nlogLevel: info\n' });
  await using sidecar = await startSidecar(sample, ['--config', directory.join('config.yaml')]);
  await volume.swap({ 'config.yaml': 'logLevel: debug\nperiod: soon\n' });
  await until(async () => (await metricOf(sidecar, 'outrigger_parameter_reloads_total{result="refused"}')) === 1);
  const { message } = sidecar.logs().findLast(({ level }) => level === 'error')!;
  expect(message).toContain('The new parameters are refused and the old ones stay: 1 parameter is wrong');
  expect(message).toContain(`soon (${directory.join('config.yaml')}:2:1): a duration such as`);
  expect((await effective(sidecar)).logLevel?.value).toBe('info');
  await volume.swap({ 'config.yaml': 'logLevel: debug\nperiod: 3m\n' });
  await until(async () => (await effective(sidecar)).period?.value === '3m');
});
