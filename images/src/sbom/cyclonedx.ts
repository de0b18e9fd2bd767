// CycloneDX 1.6 in JSON.

import { version } from '../images.ts';
import type { Component } from './components.ts';
import type { Subject } from './subject.ts';

export function cycloneDx({ name, digest, architecture, created }: Subject, components: readonly Component[]): object {
  const hex = digest.replace('sha256:', '');
  const purl = `pkg:oci/${name}@${encodeURIComponent(digest)}?arch=${architecture}&tag=${version}`;
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(hex)}`,
    version: 1,
    metadata: {
      timestamp: created,
      tools: { components: [{ type: 'application', name: 'outrigger-images', version }] },
      component: {
        type: 'container',
        'bom-ref': purl,
        name,
        version,
        purl,
        hashes: [{ alg: 'SHA-256', content: hex }],
      },
    },
    components: components.map(({ kind, name, version, purl, cpe, licence, checksum }) => ({
      type: kind,
      'bom-ref': purl,
      name,
      version,
      purl,
      ...(cpe && { cpe }),
      ...(licence && { licenses: [{ expression: licence }] }),
      ...(checksum && { hashes: [{ alg: checksum.algorithm.replace('SHA', 'SHA-'), content: checksum.value }] }),
    })),
    dependencies: [{ ref: purl, dependsOn: components.map((each) => each.purl) }],
  };
}

/** Version 8, whose bits may come from anywhere: the same image, the same serial number. */
function uuidOf(hex: string): string {
  const digits = `${hex.slice(0, 12)}8${hex.slice(13, 16)}8${hex.slice(17, 32)}`;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
