// Additions as a MutatingAdmissionPolicy and its bindings: the API server of Kubernetes 1.36 adds the sidecars to Pods when they
// are created, and no webhook has to run.
//
// JSON patches and not apply configurations: those may not touch lists without merge keys, such as a container's args, and
// cannot place an item before others.

import type { Document, Scalar, YAMLMap } from 'yaml';
import { isObject } from '../../manifest/path.ts';
import { isWorkloadKind, templatePath } from '../../manifest/workload.ts';
import {
  type AddedField,
  type AddedItem,
  type Addition,
  formatPlace,
  isItem,
  type Place,
  placeOf,
} from '../addition.ts';
import { celHas, celIndex, celPointer, celString, celValue, typeOf } from './cel.ts';
import type { Output, Workload, WriteOutput } from './output.ts';
import { newDocument, printYaml } from './print.ts';

export type PolicyOptions = {
  /** Of the policy, and the value of the label that opts in; default: `<workload>-sidecars`. */
  readonly name?: string;
};

/** On a namespace or Pod; its value is the name of a policy. */
const policyLabel = 'outrigger.dev/compose';

const stamp = 'outrigger.dev/composed';

export const admissionPolicy: WriteOutput<PolicyOptions> = (
  workload,
  additions,
  { name = nameFor(workload) },
): Output => {
  const { inPod, outside } = forPod(workload, additions);
  const documents = [policy(name, mutationsOf(inPod)), ...bindings(name)];
  return {
    files: [{ name: 'policy.yaml', text: documents.join('---\n') }],
    notes: [
      ...outside.map((addition) => `${formatPlace(placeOf(addition))}: not in the Pod, left out`),
      ...containersIn(inPod).map((each) => `a Pod that opts in and has no container ${each} is refused`),
      ...inPod.flatMap((addition) =>
        isItem(addition) || addition.map.includes('annotations')
          ? []
          : [`${formatPlace(placeOf(addition))}: a Pod that says otherwise itself keeps what it says`],
      ),
    ],
  };
};

const nameFor = ({ metadata }: Workload) =>
  `${isObject(metadata) && typeof metadata.name === 'string' ? metadata.name : 'pod'}-sidecars`;

/** A policy sees Pods, so places are taken out of the template. */
function forPod({ kind }: Workload, additions: readonly Addition[]): { inPod: Addition[]; outside: Addition[] } {
  const prefix = isWorkloadKind(String(kind)) ? templatePath(kind as Parameters<typeof templatePath>[0]) : [];
  const inside = (place: Place) => prefix.every((step, index) => place[index] === step);
  const inPod = additions.filter((addition) => inside(placeOf(addition)));
  return {
    inPod: inPod.map((addition) =>
      isItem(addition)
        ? { ...addition, list: addition.list.slice(prefix.length) }
        : { ...addition, map: addition.map.slice(prefix.length) },
    ),
    outside: additions.filter((addition) => !inPod.includes(addition)),
  };
}

const containersIn = (additions: readonly Addition[]) => [
  ...new Set(
    additions
      .flatMap((addition) => placeOf(addition).slice(0, -1))
      .flatMap((step) => (typeof step === 'string' ? [] : [step.name])),
  ),
];

/** Each mutation sees what those before it have done, so that no index has to be foreseen. */
function mutationsOf(additions: readonly Addition[]): string[] {
  const first = new Map<string, number>();
  return groupsOf(additions).map((group) =>
    isItem(group[0]!) ? addItems(group as AddedItem[], first) : addFields(group as AddedField[]),
  );
}

/** Neighbours in the same list or map are one mutation. */
function groupsOf(additions: readonly Addition[]): Addition[][] {
  const target = (addition: Addition) =>
    JSON.stringify(isItem(addition) ? [addition.list, addition.at] : [addition.map]);
  const groups: Addition[][] = [];
  for (const addition of additions) {
    const last = groups.at(-1);
    if (last && target(last[0]!) === target(addition)) last.push(addition);
    else groups.push([addition]);
  }
  return groups;
}

function addItems(items: readonly AddedItem[], first: Map<string, number>): string {
  const { list, at } = items[0]!;
  const key = JSON.stringify(list);
  const operations = items.map(({ item, at }) => {
    const start = first.get(key) ?? 0;
    if (at === 'start') first.set(key, start + 1);
    const path =
      typeof at === 'object'
        ? `${celPointer(list, '/')} + string(${celIndex(list, at.after)} + 1)`
        : celPointer(list, at === 'end' ? '/-' : `/${start}`);
    return add(path, celValue(item, typeOf(list), '    '));
  });
  const missing = typeof at === 'object' ? [] : makeWhatIsMissing(list, '[]');
  return [...missing, `[\n${operations.join('')}]`].join(' +\n');
}

function addFields(fields: readonly AddedField[]): string {
  const { map } = fields[0]!;
  const operations = fields.map(({ map, field, value }) => {
    const there = map.length > 1 ? `${celHas(map.slice(0, -1), String(map.at(-1)))} && ` : '';
    const operation = add(celPointer([...map, field]), celValue(value, typeOf([...map, field]), '    '));
    return `(${there}${celHas(map, field)} ? [] : [\n${operation}])`;
  });
  return [...makeWhatIsMissing(map, '{}'), ...operations].join(' +\n');
}

const add = (path: string, value: string) =>
  `  JSONPatch{\n    op: "add",\n    path: ${path},\n    value: ${value}\n  },\n`;

/** A Pod always has metadata and spec, and a list with an item that is named is there. */
function makeWhatIsMissing(place: Place, last: '[]' | '{}'): string[] {
  const isItemNext = (index: number) => typeof (place[index + 1] ?? '') !== 'string';
  const steps = [...place.keys()].filter(
    (index) => index > 0 && typeof place[index] === 'string' && !isItemNext(index),
  );
  return steps.map((index) => {
    const around = steps
      .filter((each) => each < index)
      .map((each) => celHas(place.slice(0, each), String(place[each])));
    const there = [...around, celHas(place.slice(0, index), String(place[index]))].join(' && ');
    const empty = index === place.length - 1 ? last : '{}';
    return `(${there} ? [] : [JSONPatch{op: "add", path: ${celPointer(place.slice(0, index + 1))}, value: ${empty}}])`;
  });
}

function policy(name: string, mutations: readonly string[]): string {
  const document = newDocument({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicy',
    metadata: { name },
    spec: {
      matchConstraints: {
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      },
      matchConditions: [
        {
          name: 'not-composed-yet',
          expression: `!has(object.metadata.annotations) || !(${celString(stamp)} in object.metadata.annotations)`,
        },
      ],
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      mutations: mutations.map((expression) => ({ patchType: 'JSONPatch', jsonPatch: { expression } })),
    },
  });
  document.commentBefore = [
    ` Adds sidecars to Pods when they are created, without a webhook: Kubernetes 1.36.`,
    ` All new Pods of a namespace:  kubectl label namespace <namespace> ${policyLabel}=${name}`,
    ` Single Pods:                  the label ${policyLabel}: ${name}`,
    ` Not this Pod:                 the label ${policyLabel}: none`,
  ].join('\n');
  comment(document, ['spec', 'failurePolicy'], ' A Pod that asked for its sidecars is not started without them.');
  comment(
    document,
    ['spec', 'reinvocationPolicy'],
    ' A second time would find the annotation of the first, and do nothing.',
  );
  for (const index of mutations.keys())
    (document.getIn(['spec', 'mutations', index, 'jsonPatch', 'expression'], true) as Scalar).type = 'BLOCK_LITERAL';
  return printYaml(document, { flow: 80 });
}

function comment(document: Document, path: readonly [string, string], text: string): void {
  const map = document.get(path[0]) as YAMLMap<Scalar>;
  map.items.find(({ key }) => key.value === path[1])!.key.commentBefore = text;
}

/** No Pod is matched by both. */
function bindings(name: string): string[] {
  const binding = (suffix: string, matchResources: Record<string, unknown>) =>
    printYaml(
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'MutatingAdmissionPolicyBinding',
        metadata: { name: `${name}-${suffix}` },
        spec: { policyName: name, matchResources },
      },
      { flow: 80 },
    );
  return [
    binding('by-namespace', {
      namespaceSelector: { matchLabels: { [policyLabel]: name } },
      objectSelector: { matchExpressions: [{ key: policyLabel, operator: 'NotIn', values: [name, 'none'] }] },
    }),
    binding('by-pod', { objectSelector: { matchLabels: { [policyLabel]: name } } }),
  ];
}
