// outrigger conformance

import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parseDuration } from '@outrigger/core';
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
  if (written.list && problems.length === 0) return print(listRules(selected), 0);
  const deadline = deadlineOf(written.deadline, problems);
  const subject = subjectOf(written, problems);
  if (problems.length > 0) return refuse(problems);
  const stops = new StopRequests();
  const text = written.format === 'text' ? new TextReport(selected, painted()) : undefined;
  try {
    const options = { subject, deadline, signal: stops.asked, done: (result: Result) => text?.add(result) };
    const results = await runRules(selected, options);
    if (written.format === 'json') print(renderJson(subject.command, results), 0);
    if (written.format === 'junit') print(renderJunit(results), 0);
    text?.end();
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
  if (command.length === 0) problems.push('outrigger conformance expects a command, such as -- node src/main.ts');
  else if (!isProgram(command[0]!)) problems.push(`"${command[0]}" is not a program`);
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

function isProgram(name: string): boolean {
  const candidates = name.includes('/')
    ? [name]
    : (process.env.PATH ?? '').split(delimiter).map((each) => join(each, name));
  return candidates.some((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function print(text: string, code: number): number {
  process.stdout.write(text);
  return code;
}

function refuse(problems: readonly string[]): number {
  process.stderr.write(
    `${problems.map((problem) => `outrigger: ${problem}`).join('\n')}\nSee outrigger conformance --help\n`,
  );
  return 64;
}
