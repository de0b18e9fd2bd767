// What the rules find in a composed workload, with its place in what was written: the workload or the list of sidecars.

import { type Finding, subjectOf } from '../check/check.ts';
import type { Rule } from '../check/rule.ts';
import { rules } from '../check/rules/index.ts';
import { podSecurity } from '../check/rules/pod-security.ts';
import { references } from '../check/rules/references.ts';
import { judge } from '../check/schema.ts';
import { openManifest } from '../manifest/manifest.ts';
import { formatPath, isObject, type Path, valueAt } from '../manifest/path.ts';
import type { Source, SourceDocument } from '../manifest/source.ts';
import { inTemplate, templatePath, type WorkloadKind } from '../manifest/workload.ts';
import type { SidecarList } from './sidecar-list.ts';

/** What is wrong by the schema alone: what follows takes it for granted. */
export async function judgeSchema(document: SourceDocument, file: string): Promise<Finding[]> {
  const { violations } = await judge(document);
  return violations.map(({ path, message, severity }) => ({
    ...document.position(path),
    severity,
    rule: 'schema',
    file,
    path: formatPath(path),
    message,
  }));
}

export type Written = {
  /** As it was given, composed before or not. */
  readonly source: Source;
  readonly document: SourceDocument;
  readonly list: SidecarList;
};

export async function judgeComposed(composed: Source, index: number, written: Written): Promise<Finding[]> {
  const documents = await Promise.all(
    composed.documents.map(async (each) => ({ ...each, value: (await judge(each)).value })),
  );
  const document = documents.find((each) => each.index === index)!;
  const subject = await subjectOf(openManifest({ ...composed, documents }, document));
  return rules.flatMap((rule) =>
    [...rule.check(subject)]
      .map(({ path, message, severity = rule.severity }) => ({
        ...whereOf(path, { kind: subject.manifest.kind, composed: document, written }),
        severity,
        rule: rule.name,
        message,
      }))
      .filter((finding) => isOurs(rule, finding)),
  );
}

/** What is not in the file is in the cluster, and how secure the workload itself is, `check` says. */
function isOurs(rule: Rule, { severity, path }: Finding): boolean {
  if (severity === 'error') return true;
  return rule !== references && (rule !== podSecurity || path.startsWith('sidecars['));
}

type Around = { readonly kind: WorkloadKind; readonly composed: SourceDocument; readonly written: Written };

/** @param path inside the Pod, composed */
function whereOf(path: Path, { kind, composed, written }: Around): Pick<Finding, 'file' | 'line' | 'column' | 'path'> {
  const { list, source, document } = written;
  const [, field, index] = path;
  const name =
    field === 'initContainers' && typeof index === 'number'
      ? valueAt(composed.value, [...templatePath(kind), 'spec', field, index, 'name'])
      : undefined;
  const listed = list.sidecars.findIndex((each) => each.name === name);
  if (listed >= 0) {
    const at = ['sidecars', listed, ...(path[3] === 'args' ? ['parameters'] : [])];
    return { file: list.file, ...list.position(at), path: formatPath(at) };
  }
  const own = translate(inTemplate(kind, path), composed.value, document.value);
  return { file: source.file, ...document.position(own), path: formatPath(own) };
}

/** The same place in another version of the document: items of lists have other numbers there. */
function translate(path: Path, from: unknown, to: unknown): Path {
  const own: (string | number)[] = [];
  for (const [depth, step] of path.entries()) {
    const list = valueAt(to, own);
    if (typeof step === 'number' && Array.isArray(list)) {
      const id = idOf(valueAt(from, path.slice(0, depth + 1)));
      const index = id === undefined ? step : list.findIndex((item) => idOf(item) === id);
      // What was added is not there: what is around it is shown.
      if (index < 0) break;
      own.push(index);
    } else own.push(step);
  }
  return own;
}

const idOf = (item: unknown) => (isObject(item) ? (item.mountPath ?? item.name) : undefined);
