import { describe, expect, test } from 'vitest';
import { type Component, debianPackages } from '../src/sbom/components.ts';
import { cycloneDx } from '../src/sbom/cyclonedx.ts';
import { provenance } from '../src/sbom/provenance.ts';
import { spdx } from '../src/sbom/spdx.ts';
import type { Subject } from '../src/sbom/subject.ts';

const subject: Subject = {
  name: 'proxy',
  architecture: 'arm64',
  digest: `sha256:${'0123456789abcdef'.repeat(4)}`,
  created: '2026-01-01T00:00:00Z',
};
const origin = { source: 'https://example.com/outrigger', revision: 'a'.repeat(40), lockfile: 'b'.repeat(64) };

const control = `Package: libstdc++6
Source: gcc-12
Version: 12.2.0-14+deb12u1
Architecture: arm64
Depends: libc6 (>= 2.36)
Description: GNU Standard C++ Library v3
 Version: a line of the description, no field
SHA256: ${'c'.repeat(64)}

Package: git
Version: 1:2.39.5-0+deb12u3
Architecture: arm64
SHA256: ${'d'.repeat(64)}
`;
const components: readonly Component[] = [
  ...debianPackages(control),
  {
    name: '@scope/thing',
    version: '1.2.3',
    purl: 'pkg:npm/%40scope/thing@1.2.3',
    licence: 'MIT',
    kind: 'library',
    checksum: { algorithm: 'SHA512', value: 'e'.repeat(128) },
  },
];

test('Node is named as its vulnerabilities are published', () => {
  const node = { ...components[2]!, cpe: 'cpe:2.3:a:nodejs:node.js:26.10.0:*:*:*:*:*:*:*' };
  expect(JSON.stringify(spdx(subject, [node]))).toContain(
    `{"referenceCategory":"SECURITY","referenceType":"cpe23Type","referenceLocator":"${node.cpe}"}`,
  );
  expect(cycloneDx(subject, [node])).toMatchObject({ components: [{ cpe: node.cpe }] });
});

test('Debian packages are named as scanners know them', () => {
  expect(components.map(({ purl }) => purl)).toEqual([
    'pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=arm64&distro=debian-12',
    'pkg:deb/debian/git@1:2.39.5-0%2Bdeb12u3?arch=arm64&distro=debian-12',
    'pkg:npm/%40scope/thing@1.2.3',
  ]);
});

type Spdx = {
  SPDXID: string;
  packages: Record<string, unknown>[];
  relationships: { spdxElementId: string; relationshipType: string; relatedSpdxElement: string }[];
};

describe('SPDX 2.3', () => {
  const document = spdx(subject, components) as Spdx;

  test('has what the specification requires of a document and of each package', () => {
    expect(document).toMatchObject({
      spdxVersion: 'SPDX-2.3',
      dataLicense: 'CC0-1.0',
      SPDXID: 'SPDXRef-DOCUMENT',
      name: 'proxy-0.1.0-arm64',
      documentNamespace: expect.stringMatching(/^https:\/\/[^#]+$/),
      creationInfo: {
        created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        creators: [expect.stringMatching(/^Tool: \S+-\S+$/), expect.stringMatching(/^Organization: /)],
      },
    });
    for (const each of document.packages)
      expect(each).toMatchObject({
        SPDXID: expect.stringMatching(/^SPDXRef-[A-Za-z0-9.-]+$/),
        name: expect.stringMatching(/./),
        downloadLocation: 'NOASSERTION',
        filesAnalyzed: false,
        licenseDeclared: expect.stringMatching(/^(NOASSERTION|[A-Za-z0-9.-]+)$/),
        checksums: [
          { algorithm: expect.stringMatching(/^SHA(256|512)$/), checksumValue: expect.stringMatching(/^[0-9a-f]+$/) },
        ],
      });
  });

  test('the document describes the image, the image contains the packages, and all are there once', () => {
    const ids = document.packages.map(({ SPDXID }) => SPDXID);
    expect(new Set(ids).size).toBe(ids.length);
    const [describes, ...contains] = document.relationships;
    expect(describes).toEqual({
      spdxElementId: 'SPDXRef-DOCUMENT',
      relationshipType: 'DESCRIBES',
      relatedSpdxElement: 'SPDXRef-Image',
    });
    expect(contains.map(({ relatedSpdxElement }) => relatedSpdxElement)).toEqual(ids.slice(1));
  });
});

type CycloneDx = { components: Record<string, unknown>[]; dependencies: { ref: string; dependsOn: string[] }[] };

describe('CycloneDX 1.6', () => {
  const document = cycloneDx(subject, components) as CycloneDx;

  test('has what the specification requires of a document and of each component', () => {
    expect(document).toMatchObject({
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      version: 1,
      serialNumber: expect.stringMatching(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
      metadata: {
        timestamp: subject.created,
        component: { type: 'container', name: 'proxy', hashes: [{ alg: 'SHA-256', content: subject.digest.slice(7) }] },
      },
    });
    for (const each of document.components)
      expect(each).toMatchObject({
        type: expect.stringMatching(/^(library|application)$/),
        name: expect.stringMatching(/./),
        version: expect.stringMatching(/./),
        'bom-ref': each.purl,
        hashes: [{ alg: expect.stringMatching(/^SHA-(256|512)$/) }],
      });
  });

  test('every reference leads to something', () => {
    const refs = document.components.map((each) => each['bom-ref']);
    expect(document.dependencies).toEqual([
      { ref: expect.stringMatching(/^pkg:oci\/proxy@sha256%3A/), dependsOn: refs },
    ]);
  });
});

test('provenance names the image by digest, and what it was made of by theirs', () => {
  expect(provenance(subject, components, origin)).toMatchObject({
    _type: 'https://in-toto.io/Statement/v1',
    predicateType: 'https://slsa.dev/provenance/v1',
    subject: [{ name: 'proxy', digest: { sha256: subject.digest.slice(7) } }],
    predicate: {
      buildDefinition: {
        buildType: expect.stringMatching(/^https:/),
        externalParameters: { target: 'proxy', architecture: 'arm64' },
        resolvedDependencies: [
          { uri: origin.source, digest: { gitCommit: origin.revision } },
          { name: 'pnpm-lock.yaml', digest: { sha256: origin.lockfile } },
          { digest: { sha256: 'c'.repeat(64) } },
          { digest: { sha256: 'd'.repeat(64) } },
          { digest: { sha512: 'e'.repeat(128) } },
        ],
      },
      runDetails: { builder: { id: expect.stringMatching(/^https:/) } },
    },
  });
});

test('the same image, the same statements', () => {
  for (const render of [spdx, cycloneDx]) {
    expect(JSON.stringify(render(subject, components))).toBe(JSON.stringify(render({ ...subject }, [...components])));
  }
});
