// outrigger conformance

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseDuration, programProblem } from '@outrigger/core';
import { refuse, say } from '../command.ts';
import { paint, wantsColours } from '../run/log/paint.ts';
import { StopRequests } from '../run/stop-requests.ts';
import { renderJson } from './report/json.ts';
import { renderJunit } from './report/junit.ts';
import { listRules, TextReport } from './report/text.ts';
import { rules } from './rules/index.ts';
import { type Result, runRules } from './run-rules.ts';
import { selectRules } from './select-rules.ts';
import type { Subject } from './subject.ts';

/** As written on the command line. */
export type Written = {
  readonly command: readonly string[];
  readonly rules: readonly string[];
  readonly env: readonly string[];
  readonly files: readonly string[];
  readonly traffic: string | undefined;
  readonly deadline: string;
  readonly format: 'text' | 'junit' | 'json';
  readonly list: boolean;
};

/** 0 all passed or were skipped, 1 some failed, 64 wrong usage. */
export async function testConformance(written: Written): Promise<number> {
  const { selected, problems } = selectRules(rules, written.rules);
  if (written.list && problems.length === 0) return say(listRules(selected));
  const deadline = deadlineOf(written.deadline, problems);
  const subject = subjectOf(written, problems);
  if (problems.length > 0) return refuse(problems, 'outrigger conformance --help');
  const stops = new StopRequests();
  const text = written.format === 'text' ? new TextReport(selected, painted()) : undefined;
  try {
    const options = { subject, deadline, signal: stops.asked, done: (result: Result) => text?.add(result) };
    const results = await runRules(selected, options);
    if (written.format === 'json') say(renderJson(subject.command, results));
    if (written.format === 'junit') say(renderJunit(results));
    text?.end(results);
    return results.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
  } catch (error) {
    if (!stops.asked.aborted) throw error;
    process.stderr.write('outrigger: interrupted; what it had started is ended\n');
    return 130;
  }
}

const painted = () => paint(wantsColours(process.stdout.isTTY, process.env));

function deadlineOf(written: string, problems: string[]): number {
  try {
    return parseDuration(written);
  } catch (error) {
    problems.push(`--deadline: ${(error as Error).message}`);
    return 0;
  }
}

function subjectOf({ command, env, files, traffic }: Written, problems: string[]): Subject {
  const [program] = command;
  if (program === undefined) problems.push('outrigger conformance expects a command, such as -- node src/main.ts');
  else {
    const problem = programProblem(program.includes('/') ? resolve(program) : program);
    if (problem) problems.push(`"${program}": ${problem}`);
  }
  if (traffic !== undefined && !/^(?:https?|tcp):\/\//.test(traffic))
    problems.push(`--traffic: a URL with http, https or tcp is expected, not "${traffic}"`);
  const pairs = Object.entries({ env, file: files }).map(([flag, texts]) =>
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) problems.push(`--${flag}: name=value is expected, not "${text}"`);
      return [text.slice(0, at), text.slice(at + 1)] as const;
    }),
  );
  for (const [name, path] of pairs[1]!) {
    if (name.includes('..') || name.startsWith('/'))
      problems.push(`--file: "${name}" is not a name in the scratch directory`);
    if (path && !existsSync(path)) problems.push(`--file: ${path}: no such file`);
  }
  return { command, env: Object.fromEntries(pairs[0]!), files: new Map(pairs[1]!), traffic };
}
