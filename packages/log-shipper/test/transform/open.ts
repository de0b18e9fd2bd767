// Transforms as the pipeline opens them, with parameters as people write them.

import { family } from '@outrigger/core';
import { readParameters } from '@outrigger/core/testing';
import type { Fields, Records } from '../../src/records.ts';
import { transforms } from '../../src/transform/index.ts';
import type { Transform } from '../../src/transform/transform.ts';
import { recordsOf } from '../chunk.ts';
import { silent } from '../silent.ts';

export type TransformName = keyof typeof transforms;

export type Opened = Transform & { readonly counts: Readonly<Record<string, number>> };

const parameters = {
  transform: family(transforms, { repeatable: true, optional: true, help: 'What is done to records' }),
};

/** @param args the member's own, without its prefix: `--keep level>=warn`. */
export async function openTransform(
  name: TransformName,
  args: readonly string[] = [],
  signal = new AbortController().signal,
): Promise<Opened> {
  const own = args.map((arg, index) => (index % 2 === 0 ? arg.replace('--', `--transform-${name}-`) : arg));
  const { values, problems } = await readParameters(parameters, ['--transform', name, ...own]);
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join(', '));
  const [chosen] = values.transform ?? [];
  if (!chosen) throw new Error(`${name} was not chosen`);
  const counts: Record<string, number> = {};
  const count = (key: string) => {
    counts[key] = (counts[key] ?? 0) + 1;
  };
  const metrics = {
    redactions: { inc: ({ rule }: { rule: string }) => count(rule) },
    redactionFailures: { inc: () => count('failures') },
  };
  const opened = await chosen.member.open(chosen.parameters, { log: silent, signal, metrics });
  return { needs: opened.needs, apply: (records) => opened.apply(records), counts };
}

/** What is left, as objects, and why the others went. */
export function outcome(records: Records): (Fields | string)[] {
  return Array.from({ length: records.count }, (_, index) => records.dropped(index) ?? records.object(index));
}

export const json = (...objects: readonly object[]): Records => {
  const records = recordsOf(objects.map((object) => JSON.stringify(object)));
  records.format = 'json';
  return records;
};
