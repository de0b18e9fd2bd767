// Every problem of a manifest at once: syntax, schema, then each rule over what the schema leaves.

import { containersOf } from '../manifest/containers.ts';
import { kindOf, type Manifest, nameOf, openManifest } from '../manifest/manifest.ts';
import { parametersOf, type SidecarParameters } from '../manifest/parameters.ts';
import { formatPath, type Path } from '../manifest/path.ts';
import type { Position, Source, SourceDocument } from '../manifest/source.ts';
import type { Rule, Severity, Subject } from './rule.ts';
import { rules } from './rules/index.ts';
import { judge } from './schema.ts';

export type Finding = Position & {
  readonly severity: Severity;
  readonly rule: string;
  readonly file: string;
  /** `spec.initContainers[2].args[1]`; of another document than the Pod, `ConfigMap/settings data.port`. */
  readonly path: string;
  readonly message: string;
};

export type Checked = {
  /** In the order of the file. */
  readonly findings: readonly Finding[];
  /** undefined when there is none to speak of. */
  readonly manifest: Manifest | undefined;
  readonly parameters: Subject['parameters'];
};

/** Values given on the command line, by container. */
export type Overrides = ReadonlyMap<string, Readonly<Record<string, string>>>;

export async function check(source: Source, overrides: Overrides = new Map()): Promise<Checked> {
  const report = new Report(source.file);
  for (const { message, ...at } of source.problems)
    report.add({ ...at, severity: 'error', rule: 'yaml', path: '', message });
  const documents = await Promise.all(source.documents.map((document) => judgeDocument(document, report)));
  const pod = source.problems.length > 0 ? undefined : onlyPod(documents, report);
  if (!pod) return { findings: report.sorted(), manifest: undefined, parameters: new Map() };

  const manifest = openManifest({ ...source, documents }, pod);
  const containers = containersOf(manifest.pod);
  const parameters = new Map<string, SidecarParameters>();
  for (const entry of containers) {
    const given = await parametersOf(entry, { ...manifest, identity: { uid: 'unknown' }, overrides });
    if (given) parameters.set(entry.name, given);
  }
  for (const rule of rules) report.addAll(applyRule(rule, { manifest, containers, parameters }));
  return { findings: report.sorted(), manifest, parameters };
}

/** What a rule finds, with its place in the file. */
export function applyRule(rule: Rule, subject: Subject): Finding[] {
  const { source, document } = subject.manifest;
  return [...rule.check(subject)].map(({ path, message, severity = rule.severity }) => ({
    ...document.position(path),
    severity,
    rule: rule.name,
    file: source.file,
    path: formatPath(path),
    message,
  }));
}

export const errorsOf = ({ findings }: Pick<Checked, 'findings'>): Finding[] =>
  findings.filter(({ severity }) => severity === 'error');

/** The document as the rest may take it for granted. */
async function judgeDocument(document: SourceDocument, report: Report): Promise<SourceDocument> {
  const { violations, value } = await judge(document);
  const prefix = kindOf(document) === 'Pod' ? '' : `${kindOf(document)}/${nameOf(document)} `;
  for (const { path, message, severity } of violations)
    report.add({ ...document.position(path), severity, rule: 'schema', path: prefix + formatPath(path), message });
  return { ...document, value };
}

function onlyPod(documents: readonly SourceDocument[], report: Report): SourceDocument | undefined {
  const complain = (
    document: SourceDocument | undefined,
    path: Path,
    message: string,
    severity: Severity = 'error',
  ) => {
    const at = document?.position(path) ?? { line: 1, column: 1 };
    report.add({ ...at, severity, rule: 'kind', path: formatPath(path), message });
  };
  const pods = documents.filter((document) => kindOf(document) === 'Pod');
  for (const extra of pods.slice(1)) complain(extra, ['kind'], 'a manifest has one Pod, this is another one');
  const others = documents.filter((document) => !['Pod', 'ConfigMap', 'Secret'].includes(kindOf(document)));
  for (const other of others) {
    const kind = kindOf(other);
    if (!kind) complain(other, ['kind'], 'is required');
    else if (pods.length > 0) complain(other, ['kind'], `${kind} is not looked at`, 'warning');
    else complain(other, ['kind'], `a Pod is expected, this is a ${kind}`);
  }
  if (pods.length === 0 && others.length === 0) complain(undefined, [], 'there is no Pod in the file');
  for (const document of documents)
    if (['ConfigMap', 'Secret'].includes(kindOf(document)) && !nameOf(document))
      complain(document, ['metadata', 'name'], 'is required');
  return pods[0];
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
