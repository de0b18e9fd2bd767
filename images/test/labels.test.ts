import { afterEach, describe, expect, test } from 'vitest';
import { roles } from '../src/images.ts';
import { created, labelsOf } from '../src/labels.ts';

const epoch = process.env.SOURCE_DATE_EPOCH;
const build = {
  prefix: 'registry.example.com/outrigger',
  source: 'https://example.com/outrigger',
  baseDigest: 'sha256:0',
};

afterEach(() => {
  if (epoch === undefined) delete process.env.SOURCE_DATE_EPOCH;
  else process.env.SOURCE_DATE_EPOCH = epoch;
});

test('created follows SOURCE_DATE_EPOCH', async () => {
  process.env.SOURCE_DATE_EPOCH = '1700000000';
  expect((await labelsOf('base', build))['org.opencontainers.image.created']).toBe('2023-11-14T22:13:20Z');
});

test('a SOURCE_DATE_EPOCH that is no number is refused', () => {
  process.env.SOURCE_DATE_EPOCH = 'yesterday';
  expect(created).toThrow('seconds are expected, not "yesterday"');
});

test('an image names its sources and the base it stands on', async () => {
  expect(await labelsOf('proxy', build)).toMatchObject({
    'org.opencontainers.image.source': 'https://example.com/outrigger',
    'org.opencontainers.image.base.name': 'registry.example.com/outrigger/base:0.1.0',
    'org.opencontainers.image.base.digest': 'sha256:0',
  });
});

test('what is not known is left out', async () => {
  const labels = await labelsOf('proxy', { ...build, source: undefined, baseDigest: undefined });
  expect(Object.keys(labels).filter((key) => /source|base/.test(key))).toEqual([]);
});

describe('what a role says of itself', () => {
  const json = async (role: (typeof roles)[number], label: string) =>
    JSON.parse((await labelsOf(role, build))[`dev.outrigger.${label}`]!);

  test('all labels, of each role', async () => {
    for (const role of roles) {
      const own = Object.keys(await labelsOf(role, build)).filter((key) => key.startsWith('dev.outrigger.'));
      const names = ['role', 'parameters', 'ports', 'api-versions', 'writes', 'stop-signal'];
      expect([role, own]).toEqual([role, names.map((name) => `dev.outrigger.${name}`)]);
    }
  });

  test('ports by the parameter that changes them', async () => {
    expect(await json('proxy', 'ports')).toEqual({ adminAddress: 9401, listenAddress: 8443 });
  });

  test('parameters that name what it writes', async () => {
    expect(await json('git-sync', 'writes')).toEqual(['root']);
    expect(await json('log-shipper', 'writes')).toEqual(
      expect.arrayContaining(['stateDirectory', 'sourceFileHold', 'sinkFilePath']),
    );
    expect(await json('proxy', 'writes')).toEqual([]);
  });

  test('its parameters, as the schema of its package', async () => {
    const { default: schema } = await import('../../packages/proxy/parameters.schema.json', { with: { type: 'json' } });
    expect(await json('proxy', 'parameters')).toEqual(schema);
  });
});
