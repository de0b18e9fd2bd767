// How an image was made: an in-toto statement with SLSA provenance 1.0.

import type { Component } from './components.ts';
import type { Subject } from './subject.ts';

export type Origin = {
  readonly source: string | undefined;
  readonly revision: string;
  /** SHA-256 of pnpm-lock.yaml. */
  readonly lockfile: string;
};

export function provenance(subject: Subject, components: readonly Component[], origin: Origin): object {
  const { name, digest, architecture, created } = subject;
  const { source, revision, lockfile } = origin;
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name, digest: { sha256: digest.replace('sha256:', '') } }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'https://outrigger.dev/images/v1',
        externalParameters: { target: name, architecture },
        internalParameters: { created },
        resolvedDependencies: [
          { ...(source && { uri: source }), name: 'source', digest: { gitCommit: revision } },
          { name: 'pnpm-lock.yaml', digest: { sha256: lockfile } },
          ...components.flatMap(({ purl, checksum }) =>
            checksum ? [{ uri: purl, digest: { [checksum.algorithm.toLowerCase()]: checksum.value } }] : [],
          ),
        ],
      },
      // Whoever signs it says who that was; a build by hand is nobody's.
      runDetails: { builder: { id: process.env.BUILDER_ID || 'https://outrigger.dev/builders/by-hand' } },
    },
  };
}
