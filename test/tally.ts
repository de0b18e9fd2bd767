// Adds up what the tests of every package reported, those that turbo took from its cache included.

import { globSync, readFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

type Report = {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
};
export type Tally = {
  readonly passed: number;
  readonly failed: number;
  readonly silent: readonly string[];
  /** What failed, by file and name, and the first lines of why. */
  readonly failures: readonly string[];
};

const report = '.results/vitest.json';

/** Folders of the workspace whose package.json has a `test` script. */
export function testedPackages(): string[] {
  return globSync(['packages/*/package.json', 'examples/*/package.json', 'test/*/package.json', 'images/package.json'])
    .filter((file) => 'test' in (JSON.parse(readFileSync(file, 'utf8')).scripts ?? {}))
    .map((file) => dirname(file))
    .sort();
}

/** A package without a report did not get as far as running its tests: that is a failure too. */
export function tally(folders: readonly string[]): Tally {
  const counts = folders.map((folder) => ({ folder, report: read(`${folder}/${report}`) }));
  const silent = counts.filter((each) => each.report === undefined).map(({ folder }) => folder);
  const sum = (pick: (each: Report) => number) =>
    counts.reduce((total, each) => total + (each.report ? pick(each.report) : 0), 0);
  return {
    passed: sum(({ numPassedTests }) => numPassedTests),
    // A file that could not be loaded has no test that could fail.
    failed: sum(({ numFailedTests, success }) => (success ? 0 : Math.max(1, numFailedTests))),
    silent,
    failures: counts.flatMap(({ folder, report }) => (report ? failuresOf(folder, report) : [])),
  };
}

function failuresOf(folder: string, { success, testResults }: Report): string[] {
  const failures = testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative('.', name);
    const failed = assertionResults.filter((each) => each.status === 'failed');
    // A file that could not be loaded says why itself.
    if (failed.length === 0) return status === 'failed' ? [`${file}\n${excerpt(message)}`] : [];
    return failed.map((each) => `${file} > ${each.fullName}\n${excerpt(each.failureMessages.join('\n'))}`);
  });
  return failures.length === 0 && !success ? [`${folder}: an error outside of its tests`] : failures;
}

const excerpt = (text: string) =>
  stripVTControlCharacters(text)
    .split('\n')
    .slice(0, 12)
    .map((line) => `    ${line}`)
    .join('\n');

function read(file: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

// `node test/tally.ts <steps that failed>`: the whole of CI.
if (import.meta.main) {
  const { passed, failed: wrong, silent, failures } = tally([...testedPackages(), 'test/system']);
  const failed = wrong + silent.length;
  for (const failure of failures) process.stdout.write(`${failure}\n`);
  for (const folder of silent) process.stdout.write(`${folder}: no report of its tests\n`);
  process.stdout.write(`${passed} passed, ${Math.max(failed, Number(process.argv[2] ?? 0))} failed\n`);
}
