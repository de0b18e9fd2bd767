// The report on an application, as `proxy doctor` makes it.

import { resolveParameters } from '@outrigger/core';
import { diagnose, type Report } from '../../src/doctor/doctor.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { parameters } from '../../src/doctor/parameters.ts';
import { flagsOf, suggestedBy } from '../../src/doctor/report.ts';

export type Examined = Report & {
  /** `keep-alive` to `kept` and so on. */
  readonly outcomes: Readonly<Record<string, string>>;
  readonly flags: readonly string[];
  finding(id: string): Finding;
};

/** Idle connections are watched for a moment unless `flags` say for how long. */
export async function examine(target: string, ...flags: readonly string[]): Promise<Examined> {
  const patience = flags.includes('--patience') ? [] : ['--patience', '200ms'];
  const argv = ['--target', target, ...patience, ...flags];
  const { values, problems } = resolveParameters(parameters, { argv, env: {} });
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  const report = await diagnose(values);
  return {
    ...report,
    outcomes: Object.fromEntries(report.findings.map(({ id, outcome }) => [id, outcome])),
    flags: flagsOf(suggestedBy(report.target, report.findings)),
    finding(id) {
      const found = report.findings.find((each) => each.id === id);
      if (!found) throw new Error(`no finding ${id}`);
      return found;
    },
  };
}
