// Proxies in front whose word about the client counts.

import { BlockList, isIP } from 'node:net';

/** Throws an Error that says what is wrong with an entry. */
export function proxyList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) add(list, entry);
  return list;
}

function add(list: BlockList, entry: string): void {
  const [address = '', prefix, ...more] = entry.split('/');
  // Clients come without the name of an interface: an address with one would never be found.
  const version = address.includes('%') ? 0 : isIP(address);
  const family = version === 6 ? 'ipv6' : 'ipv4';
  const bits = version === 6 ? 128 : 32;
  const wide = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  if (version === 0 || more.length > 0 || wide < 0 || wide > bits)
    throw new Error(`"${entry}": an address such as 10.0.0.1 or a range such as 10.0.0.0/8 is expected`);
  if (wide === bits) list.addAddress(address, family);
  else list.addSubnet(address, wide, family);
}
