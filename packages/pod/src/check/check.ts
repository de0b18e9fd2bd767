// Every problem of a manifest at once: syntax, schema, then each rule over what the schema leaves.

import { listed, nearest } from '@outrigger/core';
import { containersOf } from '../manifest/containers.ts';
import { kindOf, type Manifest, nameOf, openManifest } from '../manifest/manifest.ts';
import { parametersOf, type SidecarParameters } from '../manifest/parameters.ts';
import { formatPath, type Path } from '../manifest/path.ts';
import type { Position, Source, SourceDocument } from '../manifest/source.ts';
import { inTemplate, isWorkloadKind, workloadKinds } from '../manifest/workload.ts';
import { isDnsName, notAName } from './dns-name.ts';
import type { Rule, Severity, Subject } from './rule.ts';
import { rules } from './rules/index.ts';
import { judge } from './schema.ts';

export type Finding = Position & {
  readonly severity: Severity;
  readonly rule: string;
  readonly file: string;
  /** `spec.initContainers[2].args[1]`; of another document than the workload, `ConfigMap/settings data.port`. */
  readonly path: string;
  readonly message: string;
};

/** A workload of the file with its sidecars' parameters, by container. */
export type CheckedWorkload = Pick<Subject, 'manifest' | 'parameters'>;

export type Checked = {
  /** In the order of the file. */
  readonly findings: readonly Finding[];
  /** In the order of the file; none when there is nothing to speak of. */
  readonly workloads: readonly CheckedWorkload[];
};

/** Values given on the command line, by container. */
export type Overrides = ReadonlyMap<string, Readonly<Record<string, string>>>;

export async function check(source: Source, overrides: Overrides = new Map()): Promise<Checked> {
  const report = new Report(source.file);
  for (const { message, ...at } of source.problems)
    report.add({ ...at, severity: 'error', rule: 'yaml', path: '', message });
  if (source.problems.length > 0) return { findings: report.sorted(), workloads: [] };
  const several = source.documents.filter(isWorkload).length > 1;
  const documents = await Promise.all(source.documents.map((document) => judgeDocument(document, several, report)));
  judgeKinds(documents, report);
  const workloads: CheckedWorkload[] = [];
  for (const document of documents.filter(isWorkload)) {
    const subject = await subjectOf(openManifest({ ...source, documents }, document), overrides);
    const prefix = several ? prefixOf(document) : '';
    for (const rule of rules)
      report.addAll(applyRule(rule, subject).map((finding) => ({ ...finding, path: prefix + finding.path })));
    workloads.push(subject);
  }
  return { findings: report.sorted(), workloads };
}

/** What rules look at. */
export async function subjectOf(manifest: Manifest, overrides: Overrides = new Map()): Promise<Subject> {
  const containers = containersOf(manifest.pod);
  const parameters = new Map<string, SidecarParameters>();
  for (const entry of containers) {
    const given = await parametersOf(entry, { ...manifest, identity: { uid: 'unknown' }, overrides });
    if (given) parameters.set(entry.name, given);
  }
  return { manifest, containers, parameters };
}

/** What a rule finds, with its place in the file. */
export function applyRule(rule: Rule, subject: Subject): Finding[] {
  const { source, document, kind } = subject.manifest;
  return [...rule.check(subject)].map(({ path, message, severity = rule.severity }) => {
    const whole = inTemplate(kind, path);
    return {
      ...document.position(whole),
      severity,
      rule: rule.name,
      file: source.file,
      path: formatPath(whole),
      message,
    };
  });
}

export const errorsOf = ({ findings }: Pick<Checked, 'findings'>): Finding[] =>
  findings.filter(({ severity }) => severity === 'error');

/** The document as the rest may take it for granted. */
async function judgeDocument(document: SourceDocument, several: boolean, report: Report): Promise<SourceDocument> {
  const { violations, value } = await judge(document);
  const prefix = isWorkload(document) && !several ? '' : prefixOf(document);
  for (const { path, message, severity } of violations)
    report.add({ ...document.position(path), severity, rule: 'schema', path: prefix + formatPath(path), message });
  return { ...document, value };
}

const isWorkload = (document: SourceDocument) => isWorkloadKind(kindOf(document));
const prefixOf = (document: SourceDocument) => `${kindOf(document)}/${nameOf(document)} `;

function judgeKinds(documents: readonly SourceDocument[], report: Report): void {
  const complain = (document: SourceDocument | undefined, path: Path, message: string, severity: Severity = 'error') =>
    report.add({
      ...(document?.position(path) ?? { line: 1, column: 1 }),
      severity,
      rule: 'kind',
      path: formatPath(path),
      message,
    });
  const workloads = documents.filter(isWorkload);
  const others = documents.filter((each) => !isWorkload(each) && !['ConfigMap', 'Secret'].includes(kindOf(each)));
  for (const other of others) {
    const kind = kindOf(other);
    if (!kind) complain(other, ['kind'], 'is required');
    else if (workloads.length > 0) complain(other, ['kind'], `${kind} is not looked at`, 'warning');
    else complain(other, ['kind'], `${listed(workloadKinds)} is expected, this is a ${kind}${guessOf(kind)}`);
  }
  if (workloads.length === 0 && others.length === 0)
    complain(undefined, [], `there is no ${listed(workloadKinds)} in the file`);
  // Of a Pod, the rule for names says so.
  for (const document of documents.filter((each) => !others.includes(each) && kindOf(each) !== 'Pod')) {
    const name = nameOf(document);
    if (!name) complain(document, ['metadata', 'name'], 'is required');
    else if (isWorkload(document) && !isDnsName(name)) complain(document, ['metadata', 'name'], notAName(name));
  }
}

function guessOf(kind: string): string {
  const guess = nearest(kind, workloadKinds);
  return guess ? `; did you mean ${guess}?` : '';
}

class Report {
  readonly #file: string;
  readonly #findings: Finding[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  add(finding: Omit<Finding, 'file'>): void {
    this.#findings.push({ file: this.#file, ...finding });
  }

  addAll(findings: readonly Finding[]): void {
    this.#findings.push(...findings);
  }

  sorted(): Finding[] {
    return inFileOrder(this.#findings);
  }
}

export const inFileOrder = (findings: readonly Finding[]): Finding[] =>
  findings.toSorted((a, b) => a.line - b.line || a.column - b.column || (a.path < b.path ? -1 : 1));
