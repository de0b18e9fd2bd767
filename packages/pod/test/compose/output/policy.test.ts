// A policy does to a Pod, when it is created, what the additions do to it.

import { assert, property, string } from 'fast-check';
import { MutatingAdmissionPolicy } from 'kubernetes-models/admissionregistration.k8s.io/v1/MutatingAdmissionPolicy';
import { MutatingAdmissionPolicyBinding } from 'kubernetes-models/admissionregistration.k8s.io/v1/MutatingAdmissionPolicyBinding';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Addition } from '../../../src/compose/addition.ts';
import { applied } from '../../../src/compose/apply.ts';
import { celString } from '../../../src/compose/output/cel.ts';
import type { Workload } from '../../../src/compose/output/output.ts';
import { admissionPolicy } from '../../../src/compose/output/policy.ts';
import { isObject, valueAt } from '../../../src/manifest/path.ts';
import { podOf, templatePath, type WorkloadKind } from '../../../src/manifest/workload.ts';
import { anyCase, stampAt } from './any-workload.ts';
import { type Patch, patched } from './apply-patch.ts';
import { evaluate } from './evaluate-cel.ts';

type Policy = {
  readonly matchConditions: readonly { readonly expression: string }[];
  readonly mutations: readonly { readonly jsonPatch: { readonly expression: string } }[];
};

const documentsOf = (workload: Workload, additions: readonly Addition[]) =>
  parseAllDocuments(admissionPolicy(workload, additions, {}).files[0]!.text).map((document) => document.toJS());

/** As the API server does it: one mutation after the other, each with the Pod as the last one left it. */
function admitted(pod: unknown, { matchConditions, mutations }: Policy): unknown {
  if (!matchConditions.every(({ expression }) => evaluate(expression, pod))) return pod;
  return mutations.reduce<unknown>(
    (object, { jsonPatch }) => patched(object, evaluate(jsonPatch.expression, object) as Patch),
    pod,
  );
}

const specOf = (workload: Workload, additions: readonly Addition[]) =>
  documentsOf(workload, additions)[0].spec as Policy;

/** As the API server decodes it: nothing, empty lists and empty maps of strings are not there. */
function decoded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decoded);
  if (!isObject(value)) return value;
  const isEmpty = (key: string, each: unknown) =>
    each === null ||
    (['initContainers', 'volumes', 'volumeMounts', 'annotations'].includes(key) &&
      Object.keys(each as object).length === 0);
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (isEmpty(key, each) ? [] : [[key, decoded(each)]])),
  );
}

test('the Pod of any workload gets the same sidecars from a policy as from composition', () => {
  assert(
    property(anyCase(), ({ workload, additions }) => {
      const kind = workload.kind as WorkloadKind;
      const pod = decoded(podOf(kind, workload, 'web-1'));
      const composed = podOf(kind, applied(workload, additions), 'web-1');
      expect(decoded(admitted(pod, specOf(workload, additions)))).toEqual(decoded(composed));
    }),
    { numRuns: 200 },
  );
});

test('a Pod that is composed already is left alone', () => {
  assert(
    property(anyCase(), ({ workload, additions }) => {
      const composed = podOf(workload.kind as WorkloadKind, applied(workload, additions), 'web-1');
      expect(admitted(composed, specOf(workload, additions))).toEqual(composed);
    }),
    { numRuns: 50 },
  );
});

test('policy and bindings are what the schema of Kubernetes asks for', () => {
  assert(
    property(anyCase(), ({ workload, additions }) => {
      const [policy, ...bindings] = documentsOf(workload, additions);
      new MutatingAdmissionPolicy(policy).validate();
      expect(bindings).toHaveLength(2);
      for (const binding of bindings) {
        new MutatingAdmissionPolicyBinding(binding).validate();
        expect(binding.spec.policyName).toBe(policy.metadata.name);
      }
    }),
    { numRuns: 20 },
  );
});

test('any string is the same in CEL', () => {
  assert(
    property(string({ unit: 'binary' }), (text) => {
      expect(evaluate(celString(text), {})).toBe(text.toWellFormed());
      expect(celString(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    }),
    { numRuns: 1000 },
  );
});

const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: { containers: [{ name: 'app' }] } };
const mount = (container: string): Addition => ({
  list: ['spec', 'containers', { name: container }, 'volumeMounts'],
  key: 'mountPath',
  item: { name: 'logs', mountPath: '/logs' },
  at: 'end',
});

test('a Pod without the container that is to get a mount is refused, not left without', () => {
  const policy = specOf(pod, [mount('app'), stampAt([])]);
  const other = { ...pod, spec: { containers: [{ name: 'other', volumeMounts: [] }] } };
  expect(() => admitted(other, policy)).toThrow();
  expect(admissionPolicy(pod, [mount('app')], {}).notes).toEqual([
    'a Pod that opts in and has no container app is refused',
  ]);
});

test('a Pod without the init container that a sidecar comes after is refused', () => {
  const after: Addition = {
    list: ['spec', 'initContainers'],
    key: 'name',
    item: { name: 'proxy', image: 'outrigger/proxy:0.1.0' },
    at: { after: 'setup' },
  };
  const policy = specOf(pod, [after]);
  expect(() => admitted({ ...pod, spec: { ...pod.spec, initContainers: [{ name: 'other' }] } }, policy)).toThrow();
  expect(() => admitted(pod, policy)).toThrow();
});

test('a field that a Pod has keeps its value', () => {
  const policy = specOf(pod, [{ map: ['spec'], field: 'shareProcessNamespace', value: true }]);
  const other = { ...pod, spec: { ...pod.spec, shareProcessNamespace: false } };
  expect(admitted(other, policy)).toEqual(other);
  expect(valueAt(admitted(pod, policy), ['spec', 'shareProcessNamespace'])).toBe(true);
});

test('what is added to the workload and not to its Pods is left out, and said', () => {
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { template: pod } };
  const additions = [stampAt([]), stampAt(templatePath('Deployment'))];
  const { notes } = admissionPolicy(deployment, additions, { name: 'sidecars' });
  expect(notes).toEqual(['metadata.annotations."outrigger.dev/composed": not in the Pod, left out']);
  expect(specOf(deployment, additions).mutations).toHaveLength(1);
});
