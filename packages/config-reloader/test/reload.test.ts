import { readFileSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { makeVolume, openEndpoint, scratch, until } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import { confirmed, generationsOf, metric, startTelling } from './support/reloader.ts';

// So that a pass can only come from an event of the kernel.
const noReconcile = ['--reconcile', '1h'];
// Longer than a busy machine may keep a test from running between two steps of one change.
const patient = ['--settle', '250ms', ...noReconcile];

test('a swap notifies once, and the application reads the new content then', async () => {
  await using dir = await scratch();
  const volume = await makeVolume(dir.join('config'), { 'app.conf': 'one' });
  await using endpoint = await openEndpoint({ load: () => readFileSync(dir.join('config/app.conf'), 'utf8') });
  await using sidecar = await startTelling(endpoint, [volume.path], noReconcile);
  expect((await generationsOf(sidecar))[0]).toMatchObject({ generation: 1, state: 'baseline', confirmed: null });
  await volume.swap({ 'app.conf': 'two' });
  const generation = await confirmed(sidecar, 2);
  expect(generation).toMatchObject({ generation: 2, state: 'confirmed', error: null });
  expect(endpoint.loaded).toEqual(['two']);
  expect(endpoint.requests[0]).toMatchObject({ method: 'POST', headers: { 'outrigger-hash': generation.hash } });
  expect(await metric(sidecar, 'changes_total')).toBe(1);
  expect(await metric(sidecar, 'recovered_changes_total')).toBe(0);
  expect(await metric(sidecar, 'notifications_total{notifier="http",result="success"}')).toBe(1);
  expect(await metric(sidecar, `confirmed_info{hash="${generation.hash}"}`)).toBe(1);
  expect(await metric(sidecar, 'last_success_timestamp_seconds')).toBeCloseTo(Date.now() / 1000, -2);
});

describe.for([
  ['the default settle time', []],
  ['no settle time', ['--settle', '0']],
] as const)('with %s', ([, settle]) => {
  test('of 50 rapid swaps the last is always notified', async () => {
    await using dir = await scratch();
    const volume = await makeVolume(dir.join('config'), { 'app.conf': 'start' });
    await using endpoint = await openEndpoint({ load: () => readFileSync(dir.join('config/app.conf'), 'utf8') });
    await using sidecar = await startTelling(endpoint, [volume.path], [...noReconcile, ...settle]);
    for (let round = 1; round <= 4; round++) {
      for (let at = 1; at <= 50; at++) await volume.swap({ 'app.conf': `${round}.${at}` });
      await until(() => endpoint.loaded.at(-1) === `${round}.50`, { what: `round ${round} to be notified` });
    }
    await until(async () => (await generationsOf(sidecar))[0]!.confirmed);
    expect(endpoint.loaded.length).toBeLessThanOrEqual(200);
  });

  test('a swap to the same content, a touch and a chmod notify nobody', async () => {
    await using dir = await scratch();
    const volume = await makeVolume(dir.join('config'), { 'app.conf': 'same' });
    await using endpoint = await openEndpoint();
    await using sidecar = await startTelling(endpoint, [volume.path], [...noReconcile, ...settle]);
    const looks = () => metric(sidecar, 'looks_total{result="unchanged"}');
    const before = await looks();
    await volume.swap({ 'app.conf': 'same' });
    await until(async () => (await looks()) > before);
    await chmod(dir.join('config/app.conf'), 0o600);
    await volume.swap({ 'app.conf': 'other' });
    await confirmed(sidecar, 2);
    expect(endpoint.requests.length).toBe(1);
  });
});

test('swaps without a pause are notified while they last', async () => {
  await using dir = await scratch();
  const volume = await makeVolume(dir.join('config'), { 'app.conf': '0' });
  await using endpoint = await openEndpoint({ load: () => readFileSync(dir.join('config/app.conf'), 'utf8') });
  await using sidecar = await startTelling(endpoint, [volume.path], ['--settle', '10ms', ...noReconcile]);
  let at = 0;
  const deadline = performance.now() + 15_000;
  while (endpoint.requests.length < 5 && performance.now() < deadline) await volume.swap({ 'app.conf': String(++at) });
  expect(endpoint.requests.length).toBeGreaterThanOrEqual(5);
  await until(() => endpoint.loaded.at(-1) === String(at), { what: 'the last swap to be notified' });
  expect(sidecar.logs().filter(({ level }) => level === 'warn')).toEqual([]);
});

test('a swap and its return within the settle time notify nobody', async () => {
  await using dir = await scratch();
  const volume = await makeVolume(dir.join('config'), { 'app.conf': 'a' });
  await using endpoint = await openEndpoint();
  await using sidecar = await startTelling(endpoint, [volume.path], ['--settle', '500ms', ...noReconcile]);
  await volume.swap({ 'app.conf': 'b' });
  await volume.swap({ 'app.conf': 'a' });
  await until(() => metric(sidecar, 'looks_total{result="unchanged"}'));
  await volume.swap({ 'app.conf': 'c' });
  await confirmed(sidecar, 2);
  expect(endpoint.requests.length).toBe(1);
});

test('an added and a removed key are changes', async () => {
  await using dir = await scratch();
  const volume = await makeVolume(dir.join('config'), { a: '1' });
  await using endpoint = await openEndpoint();
  await using sidecar = await startTelling(endpoint, [volume.path], noReconcile);
  await volume.swap({ a: '1', b: '2' });
  await confirmed(sidecar, 2);
  await volume.swap({ a: '1' });
  await confirmed(sidecar, 3);
  expect(endpoint.requests.length).toBe(2);
});

test('a path that appears later is noticed, level by level', async () => {
  await using dir = await scratch();
  await using endpoint = await openEndpoint();
  await using sidecar = await startTelling(endpoint, [dir.join('a/b/config')], noReconcile);
  expect(sidecar.logs()).toContainEqual(expect.objectContaining({ code: 'WATCH_MISSING' }));
  expect(await metric(sidecar, 'missing_paths')).toBe(1);
  await mkdir(dir.join('a'));
  await mkdir(dir.join('a/b'));
  await makeVolume(dir.join('a/b/config'), { 'app.conf': '1' });
  await confirmed(sidecar, 2);
  expect(await metric(sidecar, 'missing_paths')).toBe(0);
});

test('several paths make one generation', async () => {
  await using dir = await scratch();
  const first = await makeVolume(dir.join('first'), { a: '1' });
  const second = await makeVolume(dir.join('second'), { b: '1' });
  await using endpoint = await openEndpoint();
  await using sidecar = await startTelling(endpoint, [first.path, second.path], patient);
  await first.swap({ a: '2' });
  await second.swap({ b: '2' });
  await confirmed(sidecar, 2);
  expect((await generationsOf(sidecar)).length).toBe(2);
});
