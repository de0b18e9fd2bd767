// Everything that is in an image, by where it comes from: the role and what is bundled with it, Node, Debian's packages.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { metafileOf } from '../bundle.ts';
import { type Architecture, type Bundle, isBundle, type Target, version } from '../images.ts';
import { nodePackage } from '../node.ts';
import { bundledPackages } from './bundled.ts';

export type Component = {
  readonly name: string;
  readonly version: string;
  /** Package URL: what it is, for scanners. */
  readonly purl: string;
  /** An SPDX expression; undefined where only the text in the image says it. */
  readonly licence: string | undefined;
  readonly kind: 'application' | 'library';
  /** Under which vulnerabilities are published, where the package URL says it to no scanner. */
  readonly cpe?: string;
  /** Of the archive that it was taken from, in hexadecimal. */
  readonly checksum: { readonly algorithm: 'SHA256' | 'SHA512'; readonly value: string } | undefined;
};

/** Those of an image, sorted by package URL. */
export function componentsOf(target: Target | 'base', architecture: Architecture, out: string): Component[] {
  const layers = target === 'pause' ? ['pause'] : usesGit(target) ? ['base', 'git'] : ['base'];
  const all = [
    ...(isBundle(target) ? bundle(target, out) : []),
    ...(target === 'pause' ? [] : [node(architecture)]),
    ...layers.flatMap((layer) => debianPackages(readFileSync(join(out, architecture, `${layer}.packages`), 'utf8'))),
  ];
  return all.sort((a, b) => (a.purl < b.purl ? -1 : 1));
}

const usesGit = (target: Target | 'base') => target === 'git-sync' || target === 'example-billing';

const bundle = (target: Bundle, out: string) => [
  own(target),
  ...bundledPackages(metafileOf(target, out)).map((each) => npm(each, 'library')),
];

const own = (target: Bundle): Component => ({
  name: `@outrigger/${target}`,
  version,
  purl: `pkg:npm/%40outrigger/${target}@${version}`,
  licence: 'Apache-2.0',
  kind: 'application',
  checksum: undefined,
});

function node(architecture: Architecture): Component {
  const packed = nodePackage(architecture);
  const cpe = `cpe:2.3:a:nodejs:node.js:${packed.version}:*:*:*:*:*:*:*`;
  return { ...npm({ ...packed, licence: 'MIT' }, 'application'), cpe };
}

type Npm = { readonly name: string; readonly version: string; readonly licence: string; readonly integrity: string };

const npm = ({ name, version, licence, integrity }: Npm, kind: Component['kind']): Component => ({
  name,
  version,
  purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
  licence,
  kind,
  checksum: { algorithm: 'SHA512', value: Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex') },
});

/** Of control files, one after the other, each with the checksum of its archive. */
export function debianPackages(text: string): Component[] {
  return text
    .split(/\n\n+/)
    .filter(Boolean)
    .map((stanza) => {
      const field = (name: string) => new RegExp(`^${name}: (.+)$`, 'm').exec(stanza)?.[1] ?? '';
      const name = field('Package');
      const version = field('Version');
      return {
        name,
        version,
        purl: `pkg:deb/debian/${encode(name)}@${encode(version)}?arch=${field('Architecture')}&distro=debian-12`,
        licence: undefined,
        kind: 'library',
        checksum: { algorithm: 'SHA256', value: field('SHA256') },
      };
    });
}

/** As package URLs want it: a colon stays. */
const encode = (text: string) => encodeURIComponent(text).replaceAll('%3A', ':');
