// The roles that hold what may be lost.

import type { Role } from '../../../manifest/toolkit.ts';
import { logShipper } from './log-shipper.ts';
import { proxy } from './proxy.ts';
import type { Witness } from './witness.ts';

export const witnesses: Partial<Readonly<Record<Role, Witness<unknown>>>> = {
  'log-shipper': logShipper,
  proxy,
};
