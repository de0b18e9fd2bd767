import { writeFile } from 'node:fs/promises';
import { formatProblem } from '@outrigger/core';
import { readParameters, scratch } from '@outrigger/core/testing';
import { parameters } from '../../src/parameters.ts';
import type { Rules } from '../../src/rules.ts';

/** What a file of this content says, as the parameter reads it; problems as they are shown, with the file as rules.yaml. */
export async function readRules(content: string): Promise<{ rules: Rules | undefined; problems: readonly string[] }> {
  await using directory = await scratch();
  const file = directory.join('rules.yaml');
  await writeFile(file, content);
  const { values, problems } = await readParameters({ rules: parameters.rules }, ['--rules-file', file]);
  const short = (said: string) => said.replaceAll(file, 'rules.yaml');
  if (problems.length > 0) return { rules: undefined, problems: problems.map((each) => short(formatProblem(each))) };
  const rules = values.rules.rules.map((rule) => ({ ...rule, place: short(rule.place) }));
  return { rules: { ...values.rules, rules }, problems: [] };
}

/** Of rules that are right. */
export async function rulesOf(content: string): Promise<Rules> {
  const { rules, problems } = await readRules(content);
  if (!rules) throw new Error(problems.join('\n'));
  return rules;
}
