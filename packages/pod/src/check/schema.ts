// The Kubernetes schema: what kubernetes-models refuses, and the fields that it does not know.

import { nearest } from '@outrigger/core';
import { kindOf } from '../manifest/manifest.ts';
import { isObject, type Path, valueAt } from '../manifest/path.ts';
import type { SourceDocument } from '../manifest/source.ts';
import type { Severity } from './rule.ts';

type SchemaError = {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
};

type Validate = ((data: unknown) => boolean) & { errors?: readonly SchemaError[] | null };

/** Loaded one by one: each costs tens of milliseconds. */
const schemas: Readonly<Record<string, () => Promise<{ validate: unknown }>>> = {
  Pod: () => import('kubernetes-models/_schemas/IoK8sApiCoreV1Pod'),
  Deployment: () => import('kubernetes-models/_schemas/IoK8sApiAppsV1Deployment'),
  StatefulSet: () => import('kubernetes-models/_schemas/IoK8sApiAppsV1StatefulSet'),
  DaemonSet: () => import('kubernetes-models/_schemas/IoK8sApiAppsV1DaemonSet'),
  Job: () => import('kubernetes-models/_schemas/IoK8sApiBatchV1Job'),
  CronJob: () => import('kubernetes-models/_schemas/IoK8sApiBatchV1CronJob'),
  ConfigMap: () => import('kubernetes-models/_schemas/IoK8sApiCoreV1ConfigMap'),
  Secret: () => import('kubernetes-models/_schemas/IoK8sApiCoreV1Secret'),
};

export type Violation = { readonly path: Path; readonly message: string; readonly severity: Severity };

export type Judged = {
  readonly violations: readonly Violation[];
  /** A copy without what has the wrong type. */
  readonly value: unknown;
};

export async function judge(document: SourceDocument): Promise<Judged> {
  const kind = kindOf(document);
  const load = schemas[kind];
  if (!load) return { violations: [], value: document.value };
  const validate = (await load()).validate as Validate;
  const known = new KnownFields();
  validate(known.watch(document.value, []));
  const errors = withoutEchoes(validate.errors ?? []);
  const value = structuredClone(document.value);
  for (const error of errors) repair(value, error);
  return {
    violations: [
      ...errors.map((error) => ({ ...explain(error, document), severity: 'error' as const })),
      ...known.unknown().map((violation) => ({ ...violation, severity: 'error' as const })),
    ],
    value,
  };
}

/** A wrong constant is reported by the type, too. */
function withoutEchoes(errors: readonly SchemaError[]): SchemaError[] {
  const seen = new Set<string>();
  return errors.filter(({ instancePath, keyword, params }) => {
    const key = `${instancePath} ${keyword === 'required' ? params.missingProperty : ''}`;
    return !seen.has(key) && seen.add(key);
  });
}

function pathOf({ instancePath }: SchemaError, value: unknown): Path {
  const path: (string | number)[] = [];
  for (const step of instancePath.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(valueAt(value, path)) ? Number(name) : name);
  }
  return path;
}

function explain(error: SchemaError, document: SourceDocument): { path: Path; message: string } {
  const { value: root } = document;
  const path = pathOf(error, root);
  const { params } = error;
  const written = valueAt(root, path);
  // What a Secret holds is shown nowhere.
  if (kindOf(document) === 'Secret' && /^(?:data|stringData)$/.test(String(path[0])) && error.keyword === 'type')
    return { path, message: `the value is not ${typeName(params.type)}` };
  const shown = isObject(written) ? (Array.isArray(written) ? 'a list' : 'a mapping') : JSON.stringify(written);
  switch (error.keyword) {
    case 'required':
      return { path: [...path, String(params.missingProperty)], message: 'is required' };
    case 'type':
      return { path, message: `${shown} is not ${typeName(params.type)}${hint(params.type, written)}` };
    case 'enum': {
      const allowed = (params.allowedValues as readonly unknown[]).map(String);
      const guess = nearest(String(written), allowed);
      return {
        path,
        message: `${shown} is not one of ${allowed.join(', ')}${guess ? `; did you mean ${guess}?` : ''}`,
      };
    }
    default:
      return { path, message: error.message ?? `${shown} is refused by "${error.keyword}" of the schema` };
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'a mapping',
  array: 'a list',
};

const typeName = (type: unknown) =>
  [type]
    .flat()
    .map((each) => typeNames[String(each)] ?? String(each))
    .join(' or ');

// The commonest slip of all: a number or a boolean where Kubernetes wants text.
const hint = (type: unknown, written: unknown) => (type === 'string' && !isObject(written) ? '; put it in quotes' : '');

const blanks: Readonly<Record<string, unknown>> = {
  string: '',
  object: {},
  array: [],
  integer: 0,
  number: 0,
  boolean: false,
};

/** Takes out what is wrong; in a list something empty takes its place, so that the others keep their number. */
function repair(root: unknown, error: SchemaError): void {
  if (error.keyword === 'required') return;
  const path = pathOf(error, root);
  const parent = valueAt(root, path.slice(0, -1));
  const last = path.at(-1);
  if (last === undefined || !isObject(parent)) return;
  const type = String([error.params.type].flat()[0]);
  const written = parent[last];
  if (type === 'string' && !isObject(written)) parent[last] = String(written);
  else if (Array.isArray(parent)) parent[Number(last)] = structuredClone(blanks[type] ?? '');
  else delete parent[last];
}

/**
 * The validators say nothing about unknown fields, but they ask for every field they know: what they never asked for is
 * not in the schema. A mapping whose keys they list, or ask nothing of, may hold anything.
 */
class KnownFields {
  readonly #seen: { readonly path: Path; readonly value: object; readonly asked: Set<string>; open: boolean }[] = [];

  watch<T>(value: T, path: Path): T {
    if (!isObject(value)) return value;
    const asked = new Set<string>();
    const seen = { path, value, asked, open: Array.isArray(value) };
    this.#seen.push(seen);
    const inner = new Map<string, unknown>();
    return new Proxy(value, {
      get: (target, key) => {
        if (typeof key === 'symbol') return Reflect.get(target, key);
        asked.add(key);
        if (!inner.has(key)) {
          const step = Array.isArray(target) ? Number(key) : key;
          inner.set(
            key,
            Object.hasOwn(target, key)
              ? this.watch(Reflect.get(target, key), [...path, step])
              : Reflect.get(target, key),
          );
        }
        return inner.get(key);
      },
      ownKeys: (target) => {
        seen.open = true;
        return Reflect.ownKeys(target);
      },
    }) as T;
  }

  unknown(): { path: Path; message: string }[] {
    return this.#seen
      .filter(({ open, asked }) => !open && asked.size > 0)
      .flatMap(({ path, value, asked }) =>
        Object.keys(value)
          .filter((key) => !asked.has(key))
          .map((key) => ({ path: [...path, key], message: unknownField(key, asked) })),
      );
  }
}

function unknownField(key: string, asked: ReadonlySet<string>): string {
  const guess = nearest(key, asked);
  return `is not a field that Kubernetes knows${guess ? `; did you mean ${guess}?` : ''}`;
}
