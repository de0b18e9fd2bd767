// SPDX 2.3 in JSON.

import { version } from '../images.ts';
import type { Component } from './components.ts';
import type { Subject } from './subject.ts';

export function spdx({ name, digest, architecture, created }: Subject, components: readonly Component[]): object {
  const image = {
    SPDXID: 'SPDXRef-Image',
    name,
    versionInfo: version,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    primaryPackagePurpose: 'CONTAINER',
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: 'NOASSERTION',
    copyrightText: 'NOASSERTION',
    checksums: [{ algorithm: 'SHA256', checksumValue: digest.replace('sha256:', '') }],
  };
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `${name}-${version}-${architecture}`,
    documentNamespace: `https://outrigger.dev/spdx/${name}-${digest.replace(':', '-')}`,
    creationInfo: { created, creators: [`Tool: outrigger-images-${version}`, 'Organization: Outrigger'] },
    packages: [image, ...components.map(packageOf)],
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: image.SPDXID },
      ...components.map((_, index) => ({
        spdxElementId: image.SPDXID,
        relationshipType: 'CONTAINS',
        relatedSpdxElement: idOf(index),
      })),
    ],
  };
}

/** Names may hold what an identifier may not. */
const idOf = (index: number) => `SPDXRef-Package-${index}`;

const packageOf = ({ name, version, purl, cpe, licence, kind, checksum }: Component, index: number) => ({
  SPDXID: idOf(index),
  name,
  versionInfo: version,
  downloadLocation: 'NOASSERTION',
  filesAnalyzed: false,
  primaryPackagePurpose: kind.toUpperCase(),
  licenseConcluded: 'NOASSERTION',
  licenseDeclared: licence ?? 'NOASSERTION',
  copyrightText: 'NOASSERTION',
  ...(checksum && { checksums: [{ algorithm: checksum.algorithm, checksumValue: checksum.value }] }),
  externalRefs: [
    { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl },
    ...(cpe ? [{ referenceCategory: 'SECURITY', referenceType: 'cpe23Type', referenceLocator: cpe }] : []),
  ],
});
