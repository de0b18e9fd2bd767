// outrigger compose, diff, upgrade, remove

import { mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publishFile } from '@outrigger/core';
import { check, errorsOf, type Finding, inFileOrder } from '../check/check.ts';
import { reasonFor } from '../check/command.ts';
import { formatFinding, summaryOf } from '../check/format.ts';
import { parseSource } from '../manifest/source.ts';
import { type Composed, compose, type Manifest, type Refused, remove } from './compose.ts';
import { findWorkload } from './find-workload.ts';
import { type OutputName, outputs } from './outputs.ts';
import { plainForm } from './plain.ts';
import { podmanForm } from './podman.ts';
import { annotationOf, listName, stampOf } from './stamp.ts';
import { coloured, unifiedDiff } from './unified-diff.ts';

export type Form = 'native' | 'plain' | 'podman';

type What = {
  /** A path, or `-` for stdin. */
  readonly file: string;
  readonly workload: string | undefined;
};
type WithList = What & { readonly sidecars: string | undefined };
type Writing = { readonly write: boolean };

export type ComposeOptions = WithList &
  Writing & { readonly form: Form | undefined; readonly output: OutputName; readonly directory: string | undefined };

/** All return the exit code. What is said goes to stderr, so that stdout can be piped. */
export const composeManifest = (options: ComposeOptions): Promise<number> =>
  answering(async () => {
    const manifest = readManifest(options.file);
    if (options.sidecars === undefined && !isComposable(manifest, options.workload)) {
      if (options.form !== undefined) return printForm(manifest, options.form, options.workload);
    }
    const composed = await composeWith(manifest, options);
    sayFindings(composed.findings);
    if (options.output !== 'yaml') return writeOutput(composed, options.output, options.directory);
    if (options.form === undefined || options.form === 'native') return put(options, composed.text);
    return printForm({ ...manifest, text: composed.text }, options.form, options.workload);
  });

/** 1 when they differ. */
export const diffManifest = (options: WithList): Promise<number> =>
  answering(async () => {
    const manifest = readManifest(options.file);
    const { text, findings } = await composeWith(manifest, options);
    sayFindings(findings);
    const difference = unifiedDiff([manifest.file, `${manifest.file} (composed)`], manifest.text, text);
    process.stdout.write(process.stdout.isTTY && !process.env.NO_COLOR ? coloured(difference) : difference);
    return difference === '' ? 0 : 1;
  });

export const upgradeManifest = (options: WithList & Writing): Promise<number> =>
  answering(async () => {
    const manifest = readManifest(options.file);
    const before = remove(manifest, options.workload);
    if (!('refused' in before) && !before.composed)
      throw new Refusal([`${manifest.file}: nothing was composed here yet: outrigger compose does it`]);
    const { text, findings } = await composeWith(manifest, options);
    sayFindings(findings);
    return put(options, text);
  });

export const removeFromManifest = (options: What & Writing): Promise<number> =>
  answering(async () => {
    const manifest = readManifest(options.file);
    const removed = orRefuse(remove(manifest, options.workload));
    sayFindings(removed.findings);
    if (!removed.composed) say([`${manifest.file}: nothing was composed here`]);
    return put(options, removed.text);
  });

/** Why a command ends with 64, one line each. */
class Refusal extends Error {
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.name = 'Refusal';
    this.lines = lines;
  }
}

async function answering(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    say(error.lines);
    return 64;
  }
}

function orRefuse<T>(result: T | Refused): T {
  if (!(typeof result === 'object' && result !== null && 'refused' in result)) return result as T;
  const findings = result.refused.filter((each) => typeof each !== 'string');
  throw new Refusal([
    ...result.refused.filter((each) => typeof each === 'string'),
    ...inFileOrder(findings).map(formatFinding),
    ...(findings.length > 0 ? [summaryOf(findings)] : []),
  ]);
}

function readManifest(file: string): Manifest {
  try {
    return { file, text: readFileSync(file === '-' ? 0 : file, 'utf8') };
  } catch (error) {
    throw new Refusal([`${file}: ${reasonFor(error)}`]);
  }
}

async function composeWith(manifest: Manifest, { sidecars, workload }: WithList): Promise<Composed> {
  if (sidecars === '-' && manifest.file === '-') throw new Refusal(['--sidecars: stdin is the manifest already']);
  const list = sidecars === undefined ? undefined : readManifest(sidecars);
  return orRefuse(await compose(manifest, { workload, list }));
}

/** Whether the workload has a list of its own, or was composed before. */
function isComposable({ file, text }: Manifest, wanted: string | undefined): boolean {
  const source = parseSource(file, text);
  const workload = source.problems.length > 0 ? '' : findWorkload(source, wanted);
  if (typeof workload === 'string') return false;
  const { kind, value } = workload;
  return annotationOf(kind, value, listName) !== undefined || stampOf(kind, value) !== undefined;
}

/** The manifest as it is, in a form that an engine understands. */
async function printForm({ file, text }: Manifest, form: Form, wanted: string | undefined): Promise<number> {
  const source = parseSource(file, text);
  const checked = await check(source);
  if (errorsOf(checked).length > 0 || checked.workloads.length === 0) orRefuse({ refused: checked.findings });
  if (form === 'native') return print(text);
  const chosen = findWorkload(source, wanted);
  if (typeof chosen === 'string') throw new Refusal([chosen]);
  const { manifest, parameters } = checked.workloads.find(
    (each) => each.manifest.document.index === chosen.document.index,
  )!;
  const printed = form === 'plain' ? plainForm(manifest) : podmanForm(manifest, parameters);
  say(printed.notes);
  return print(printed.text);
}

async function writeOutput(
  { original, objects, additions }: Composed,
  name: Exclude<OutputName, 'yaml'>,
  directory: string | undefined,
): Promise<number> {
  const write = await outputs[name]();
  const { files, notes } = write(original.value as Record<string, unknown>, additions, objects);
  say(notes);
  if (directory === undefined) {
    if (files.length > 1)
      throw new Refusal([
        `--output ${name} is several files (${files.map((each) => each.name).join(', ')}): give --directory`,
      ]);
    return print(files.map(({ text }) => text).join(''));
  }
  mkdirSync(directory, { recursive: true });
  for (const file of files) writeFileSync(join(directory, file.name), file.text);
  return 0;
}

/** To stdout, or over the file. */
async function put({ file, write }: What & Writing, text: string): Promise<number> {
  if (!write) return print(text);
  if (file === '-') throw new Refusal(['--write: stdin cannot be written']);
  // What a link leads to is written, not the link.
  const path = realpathSync(file);
  if (readFileSync(path, 'utf8') !== text) await publishFile(path, text, { mode: statSync(path).mode & 0o777 });
  return 0;
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function sayFindings(findings: readonly Finding[]): void {
  say(inFileOrder(findings).map(formatFinding));
}

function say(lines: readonly string[]): void {
  if (lines.length > 0) process.stderr.write(`${lines.join('\n')}\n`);
}
