// The laws of compose, over right workloads of all kinds that were written in any way.

import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { check, errorsOf } from '../../src/check/check.ts';
import { formatFinding } from '../../src/check/format.ts';
import { applied } from '../../src/compose/apply.ts';
import { compose, remove } from '../../src/compose/compose.ts';
import { composition } from '../../src/compose/composition.ts';
import { readList } from '../../src/compose/sidecar-list.ts';
import { kindOf } from '../../src/manifest/manifest.ts';
import { isObject } from '../../src/manifest/path.ts';
import { parseSource } from '../../src/manifest/source.ts';
import { podOf } from '../../src/manifest/workload.ts';
import { anyList, anyWorkload, textOf } from './any-composition.ts';
import { chooser } from './edit/manifest-text.ts';

const numRuns = Number(process.env.RUNS ?? 25);
const seed = process.env.SEED ? Number(process.env.SEED) : Date.now() % 2 ** 31;

function caseOf(g: fc.GeneratorValue) {
  const choose = chooser(g);
  const workload = anyWorkload(choose);
  const text = textOf(workload, choose);
  return { workload, text, lists: [anyList(choose, workload), anyList(choose, workload)] as const };
}

type Case = ReturnType<typeof caseOf>;

/** Now and then what is written is no YAML, or says something else. */
const isWell = ({ text, workload: { kind, value } }: Case) =>
  parseSource('', text).documents.some(
    (document) => kindOf(document) === kind && isDeepStrictEqual(document.yaml.toJS(), value),
  );

const holds = (law: (each: Case) => Promise<void>) =>
  fc.assert(
    fc.asyncProperty(fc.gen(), async (g) => {
      const each = caseOf(g);
      fc.pre(isWell(each));
      await law(each);
    }),
    { numRuns, seed, endOnFailure: true },
  );

async function composed(text: string, list?: string): Promise<string> {
  const given = list === undefined ? undefined : { file: 'sidecars.yaml', text: list };
  const result = await compose({ file: 'workload.yaml', text }, { workload: undefined, list: given });
  if (!('refused' in result)) return result.text;
  const said = result.refused.map((each) => (typeof each === 'string' ? each : formatFinding(each)));
  throw new Error(`refused:\n${said.join('\n')}\n${text}\n${list}`);
}

const timeout = 120_000;

test('composed twice is composed once, and taken out it is what it was', { timeout }, () =>
  holds(async ({ text, lists: [list] }) => {
    const once = await composed(text, list.text);
    expect(once).not.toBe(text);
    expect(await composed(once)).toBe(once);
    expect(await composed(once, list.text)).toBe(once);
    const removed = remove({ file: 'workload.yaml', text: once }, undefined);
    expect(removed).toEqual({ text, findings: [], composed: true });
  }),
);

test('composed with another list it is the original composed with that list', { timeout }, () =>
  holds(async ({ text, lists: [first, second] }) => {
    expect(await composed(await composed(text, first.text), second.text)).toBe(await composed(text, second.text));
  }),
);

test('what is composed is right by the schema and by every rule', { timeout }, () =>
  holds(async ({ text, lists: [list] }) => {
    const { findings, workloads } = await check(parseSource('composed.yaml', await composed(text, list.text)));
    expect(errorsOf({ findings }).map(formatFinding)).toEqual([]);
    expect(workloads).toHaveLength(1);
  }),
);

test('a composition changes nothing that it is given, and the order of keys means nothing', { timeout }, () =>
  holds(async ({ workload, lists: [list] }) => {
    const { sidecars } = await readList('sidecars.yaml', list.text);
    const value = frozen(structuredClone(workload.value));
    const { additions, conflicts } = composition(value, frozen(sidecars));
    expect(conflicts).toEqual([]);
    const shuffled = await readList('sidecars.yaml', JSON.stringify(reversed(list.value)));
    const again = composition(reversed(value), shuffled.sidecars);
    expect(JSON.stringify(again.additions)).toBe(JSON.stringify(additions));
  }),
);

test('what is added keeps to the restricted level of Pod Security', { timeout }, () =>
  holds(async ({ workload, lists: [list] }) => {
    const { sidecars } = await readList('sidecars.yaml', list.text);
    const { additions } = composition(workload.value, sidecars);
    const { spec } = podOf(workload.kind, applied(workload.value, additions), 'web') as { spec: Spec };
    const names = new Set(sidecars.map(({ name }) => name));
    const added = spec.initContainers.filter(({ name }) => names.has(name));
    expect(added).toHaveLength(sidecars.length);
    for (const { ports, securityContext } of added) {
      expect(securityContext).toMatchObject({
        runAsNonRoot: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(securityContext.runAsUser ?? spec.securityContext?.runAsUser).not.toBe(0);
      expect(ports.filter((port) => 'hostPort' in port)).toEqual([]);
    }
    const kinds = spec.volumes?.flatMap((volume) => Object.keys(volume)) ?? [];
    expect(kinds.filter((kind) => !allowed.includes(kind))).toEqual([]);
  }),
);

const allowed = ['name', 'emptyDir', 'configMap', 'secret', 'persistentVolumeClaim'];

type Spec = {
  readonly securityContext?: { readonly runAsUser?: number };
  readonly initContainers: readonly {
    readonly name: string;
    readonly ports: readonly object[];
    readonly securityContext: { readonly runAsUser?: number };
  }[];
  readonly volumes?: readonly object[] | null;
};

function frozen<T>(value: T): T {
  if (isObject(value)) for (const each of Object.values(value)) frozen(each);
  return Object.freeze(value);
}

/** The same with the keys of each mapping the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, each]) => [key, reversed(each)]),
  );
}
