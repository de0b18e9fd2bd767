// Each promise, broken on purpose: the rules that are broken fail, and no others.

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { missingPrograms } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { outrigger } from '../outrigger.ts';

const plain = fileURLToPath(new URL('fixtures/plain.mjs', import.meta.url));

type Report = {
  readonly summary: { readonly passed: number; readonly failed: number; readonly skipped: number };
  readonly rules: readonly {
    readonly id: string;
    readonly outcome: string;
    readonly reason?: string;
    readonly expected?: string;
    readonly seen?: string;
    readonly said?: readonly string[];
  }[];
};

type Options = { readonly deadline?: string; readonly flags?: readonly string[] };

async function judge(args: readonly string[], { deadline = '4s', flags = [] }: Options = {}) {
  const own = ['--state={state}', '--service={port:service}', ...args];
  const all = ['--format=json', `--deadline=${deadline}`, '--traffic=tcp://127.0.0.1:{port:service}', ...flags];
  const { code, stdout, stderr } = await outrigger('conformance', ...all, '--', process.execPath, plain, ...own);
  expect(stderr).toBe('');
  const report = JSON.parse(stdout) as Report;
  const failed = report.rules.filter(({ outcome }) => outcome === 'failed');
  return { code, report, failed: failed.map(({ id }) => id).toSorted(), details: failed };
}

test('a sidecar that keeps the contract passes without any library', async () => {
  const { code, report, details } = await judge([]);
  expect(details).toEqual([]);
  expect(code).toBe(0);
  // What this machine cannot make is skipped, with its reason.
  for (const { outcome, reason } of report.rules)
    if (outcome === 'skipped') expect(reason).toMatch(/cannot be|can be|not on/);
  expect(report.summary.passed).toBeGreaterThan(30);
});

const whoeverStops = [
  'container/no-capabilities',
  'container/read-only-root',
  'container/unknown-user',
  'life/exit-with-open-connections',
  'life/prestop-then-sigterm',
  'life/sigterm',
  'life/sigterm-as-pid-1',
  'life/sigterm-before-ready',
  'life/sigterm-twice',
  'life/stdin-closed',
];

type Breaks = {
  /** Only these rules, where the others have nothing to do with it. */
  readonly only?: readonly string[];
  /** What each break must fail. Breaks that do not touch each other are tried together. */
  readonly breaks: Readonly<Record<string, readonly string[]>>;
};

const broken: readonly Breaks[] = [
  { only: ['life/*', 'container/*'], breaks: { 'ignores-sigterm': whoeverStops } },
  { only: ['life/*', 'container/*'], breaks: { 'no-handler': whoeverStops } },
  {
    breaks: {
      'livez-fails-in-drain': ['life/livez-in-drain'],
      'leaves-child': ['life/no-child-left'],
      'dies-of-sighup': ['life/sighup'],
      'secret-in-log': ['parameters/secret-shown-nowhere'],
      'closes-service-on-prestop': ['life/prestop-traffic'],
      'any-host': ['api/foreign-host'],
      'writes-outside': ['container/read-only-root'],
      'needs-user': ['container/unknown-user'],
      'needs-privileges': ['container/no-capabilities'],
      'eats-memory': ['container/memory-limit'],
      'dies-of-full-disk': ['container/full-disk'],
      'one-problem': ['parameters/wrong-at-once'],
      'wrong-metrics': ['api/metrics', 'api/openmetrics'],
      'old-openapi': ['api/openapi'],
      'few-connections': ['load/concurrent-probes', 'load/slow-headers'],
    },
  },
  {
    breaks: {
      'waits-for-clients': ['life/exit-with-open-connections'],
      'get-changes': ['api/get-changes-nothing'],
      'any-origin': ['api/foreign-origin'],
      'config-read-once': ['parameters/config-swap', 'parameters/wrong-config-swap'],
      'token-read-once': ['parameters/secret-rotation'],
      'unknown-flag': ['parameters/unknown-flag'],
      'no-openmetrics': ['api/openmetrics'],
      'no-versions': ['api/self'],
      'lists-no-versions': ['api/unknown-version'],
      'no-code': ['api/problem-json'],
      'no-shutdown': ['life/shutdown-request'],
      'dies-of-malformed-requests': ['load/malformed-requests'],
      'text-log': ['log/json-lines'],
    },
  },
  { only: ['life/sig*'], breaks: { 'ignores-second-sigterm': ['life/sigterm-twice'] } },
  {
    only: ['life/*', 'parameters/*'],
    breaks: {
      'exits-on-prestop': [
        'life/livez-in-drain',
        'life/prestop-serves',
        'life/prestop-then-sigterm',
        'life/prestop-traffic',
        'parameters/secret-rotation',
      ],
    },
  },
  { only: ['life/port-in-use'], breaks: { 'says-no-address': ['life/port-in-use'] } },
];

const named = broken.map((each) => [Object.keys(each.breaks).join(', '), each] as const);

test.for(named)('exactly what is broken fails: %s', async ([, { only = [], breaks }]) => {
  const flags = only.map((rule) => `--rule=${rule}`);
  const { code, report, failed, details } = await judge([`--break=${Object.keys(breaks).join()}`], { flags });
  const possible = new Set(report.rules.filter(({ outcome }) => outcome !== 'skipped').map(({ id }) => id));
  const wanted = [...new Set(Object.values(breaks).flat())].filter((id) => possible.has(id)).toSorted();
  expect(failed, JSON.stringify(details, null, 2)).toEqual(wanted);
  expect(code).toBe(1);
  for (const { expected, seen } of details) expect([expected, seen].every(Boolean)).toBe(true);
});

test('one that waits for its application fails the first rule, and the others are skipped', async () => {
  const { code, report, failed } = await judge(['--peer={port:application}'], { deadline: '1s' });
  expect(failed).toEqual(['life/starts']);
  expect(report.summary).toMatchObject({ passed: 0, failed: 1 });
  expect(report.rules[1]!.reason).toBe('It does not start: see life/starts');
  expect(code).toBe(1);
});

test.for(['waits for', 'dies without'])(
  'one that %s a peer that happens to be there is found out, too',
  async (what) => {
    const peer = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(peer, 'listening');
    const args = [
      `--peer=${(peer.address() as AddressInfo).port}`,
      what === 'waits for' ? '' : '--break=dies-without-peer',
    ];
    const { failed, report } = await judge(args.filter(Boolean), { flags: ['--rule=life/starts*'] });
    peer.close();
    // Skipped for want of a tool or of rights, never because it has died.
    const reason = report.rules.find(({ outcome }) => outcome === 'skipped')?.reason ?? '';
    if (!/be made here|not on this machine|not permitted/.test(reason)) expect(failed).toEqual(['life/starts-alone']);
  },
);

const missing = missingPrograms('python3');
test.skipIf(missing)(
  `a sidecar in Python is judged by the same rules (missing here: ${missing || 'nothing'})`,
  async () => {
    const python = fileURLToPath(new URL('fixtures/sidecar.py', import.meta.url));
    const args = ['--format=json', '--deadline=5s', '--rule=life/*', '--', 'python3', python];
    const { code, stdout } = await outrigger('conformance', ...args);
    const { rules } = JSON.parse(stdout) as Report;
    const failed = rules.filter(({ outcome }) => outcome === 'failed').map(({ id }) => id);
    expect(failed).toEqual(['life/prestop-serves', 'life/livez-in-drain']);
    expect(rules.filter(({ outcome }) => outcome === 'passed').length).toBeGreaterThan(8);
    expect(code).toBe(1);
  },
);
