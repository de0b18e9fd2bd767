// Every scenario, once.

import { speaksHttp2 } from './check.ts';
import { h2load } from './load/h2load.ts';
import { sTime } from './load/s-time.ts';
import { wrk } from './load/wrk.ts';
import { atHalfLoad, holding, type Measure, underLoad } from './measured.ts';
import type { Mode, Started } from './subjects.ts';

export type Scenario = {
  readonly name: string;
  readonly title: string;
  /** What the subjects are to be; http without. */
  readonly mode?: Mode;
  /** Subjects that cannot do it are left out. */
  readonly can?: (subject: Started) => Promise<boolean>;
  readonly measure: Measure;
};

const [kib64, mib] = [64 << 10, 1 << 20];
const terminatesOnly = async ({ mode }: Started) => mode === 'tcp';

export const scenarios: readonly Scenario[] = [
  {
    name: 'small-get',
    title: 'Small GET, 64 connections that are kept',
    measure: underLoad({ load: wrk({ get: '/small' }) }),
  },
  {
    name: 'get-64k',
    title: 'GET of 64 KiB, 64 connections that are kept',
    measure: underLoad({ load: wrk({ get: '/64k' }), bytes: kib64 }),
  },
  {
    name: 'get-1m',
    title: 'GET of 1 MiB, 64 connections that are kept',
    measure: underLoad({ load: wrk({ get: '/1m' }), bytes: mib }),
  },
  {
    name: 'post-64k',
    title: 'POST of 64 KiB, 64 connections that are kept',
    measure: underLoad({ load: wrk({ post: kib64 }), bytes: kib64 }),
  },
  {
    name: 'post-1m',
    title: 'POST of 1 MiB, 64 connections that are kept',
    measure: underLoad({ load: wrk({ post: mib }), bytes: mib }),
  },
  {
    name: 'handshake',
    title: 'A connection for each request, TLS 1.3, full handshakes',
    measure: underLoad({ load: sTime({ version: 'tls1_3', resumed: false }) }),
  },
  {
    name: 'resumed-1.2',
    title: 'A connection for each request, TLS 1.2, resumed sessions',
    measure: underLoad({ load: sTime({ version: 'tls1_2', resumed: true }) }),
  },
  {
    name: 'resumed-1.3',
    title: 'A connection for each request, TLS 1.3, resumed sessions',
    measure: underLoad({ load: sTime({ version: 'tls1_3', resumed: true }) }),
  },
  {
    name: 'http2',
    title: 'Small GET over HTTP/2, 8 connections with 16 streams each',
    can: speaksHttp2,
    measure: underLoad({ load: h2load({ get: '/small' }) }),
  },
  {
    name: 'latency',
    title: 'Small GET at half of what the slowest can take, 64 connections that are kept',
    measure: atHalfLoad(),
  },
  {
    name: 'tcp-small',
    title: 'Mode tcp, small GET, 64 connections that are kept',
    mode: 'tcp',
    can: terminatesOnly,
    measure: underLoad({ load: wrk({ get: '/small' }) }),
  },
  {
    name: 'tcp-1m',
    title: 'Mode tcp, GET of 1 MiB, 64 connections that are kept',
    mode: 'tcp',
    can: terminatesOnly,
    measure: underLoad({ load: wrk({ get: '/1m' }), bytes: mib }),
  },
  { name: 'idle', title: '2,000 idle connections', measure: holding(2000) },
];
