import { sidecars } from '@outrigger/example-billing/demo';
import { beforeAll, describe, expect, test } from 'vitest';
import { podman } from './podman.ts';

type Image = {
  readonly RootFS: { readonly Layers: readonly string[] };
  readonly Config: {
    readonly User: string;
    readonly Entrypoint: readonly string[];
    readonly Labels: Readonly<Record<string, string>>;
  };
};

describe('the images', () => {
  let images: Readonly<Record<string, Image>>;

  beforeAll(async () => {
    const inspected = await podman('image', 'inspect', ...sidecars.map((name) => `outrigger/${name}`));
    images = Object.fromEntries((JSON.parse(inspected) as Image[]).map((image, index) => [sidecars[index], image]));
  });

  test('all stand on one and the same base layer', () => {
    expect(new Set(Object.values(images).map(({ RootFS }) => RootFS.Layers[0])).size).toBe(1);
  });

  test.each(sidecars)('%s says what it is, runs as a numeric user, and is the sidecar itself', async (name) => {
    const { User, Entrypoint, Labels } = images[name]!.Config;
    expect(User).toBe('65532:65532');
    expect(Entrypoint.at(-1)).toBe('sidecar');
    const version = Labels['org.opencontainers.image.version'];
    expect(Labels).toMatchObject({
      'org.opencontainers.image.title': `outrigger/${name}`,
      'org.opencontainers.image.description': expect.stringMatching(/^[A-Z]/),
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.revision': expect.stringMatching(/^[0-9a-f]{40}$|^unknown$/),
    });
    // Any user will do: OpenShift gives each project its own.
    const said = await podman(
      'run',
      '--rm',
      '--read-only',
      '--network=none',
      '--user=123456',
      `outrigger/${name}`,
      '--version',
    );
    expect(said).toBe(`${name} ${version}`);
  });
});
