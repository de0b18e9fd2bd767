// Containers of a Pod share their ports: which admin port each sidecar gets.

import { parseAddress } from '@outrigger/core';
import type { Address } from '../manifest/parameters.ts';
import { otherPreset, presets } from './presets.ts';
import type { ListedSidecar } from './sidecar-list.ts';

export type Admin = {
  readonly address: Address;
  /** It says so itself already, by its parameters or by its role's default. */
  readonly known: boolean;
};

/**
 * What a sidecar's parameters say, or its role's own for the first of that role; the others get the next that nobody has.
 * @param declared ports of the workload's own containers
 */
export function adminPorts(sidecars: readonly ListedSidecar[], declared: Iterable<number>): Admin[] {
  const given = sidecars.map(givenAddress);
  const taken = new Set([...declared, ...given.flatMap((address) => address?.port ?? [])]);
  const defaults = new Set<number>();
  return sidecars.map(({ role }, index) => {
    const address = given[index];
    if (address) return { address, known: true };
    const own = role && presets[role].adminPort;
    if (own !== undefined && !defaults.has(own) && !given.some((each) => each?.port === own)) {
      defaults.add(own);
      return { address: everywhere(own), known: true };
    }
    let port = otherPreset.adminPort;
    while (taken.has(port)) port++;
    taken.add(port);
    return { address: everywhere(port), known: false };
  });
}

const everywhere = (port: number): Address => ({ host: '0.0.0.0', port });

function givenAddress({ given, values }: ListedSidecar): Address | undefined {
  const { adminAddress } = values;
  if (!given.has('adminAddress')) return undefined;
  if (typeof adminAddress !== 'string') return adminAddress as Address;
  try {
    return parseAddress(adminAddress);
  } catch {
    // Of an image that nobody here knows the parameters of: it will say so itself.
    return undefined;
  }
}
