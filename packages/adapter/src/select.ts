// Third stage: what a path finds in the tree. The rest of the adapter knows only `compile` and Expression; another path
// engine slots in here.

import { type NameTest, type Path, type Predicate, parsePath, type Step } from './path.ts';
import { type AnyNode, stringValue } from './tree.ts';

/** Which namespace a prefix of a path stands for; `''` is the one of element names without a prefix. */
export type Namespaces = Readonly<Record<string, string>>;

export type Expression = {
  /** All matches, in document order, each once. */
  nodes(context: AnyNode): readonly AnyNode[];
  /** The text of the first match, undefined when there is none. */
  text(context: AnyNode): string | undefined;
};

/** Throws an Error that says where the path is wrong. */
export function compile(source: string, namespaces: Namespaces): Expression {
  const parsed = parsePath(source);
  if (parsed.kind === 'literal') {
    const value = String(parsed.value);
    return { nodes: () => [], text: () => value };
  }
  const nodes = compilePath(parsed, namespaces);
  return {
    nodes,
    text(context) {
      const first = nodes(context)[0];
      return first && stringValue(first);
    },
  };
}

type Take = (node: AnyNode) => readonly AnyNode[];
type Nodes = readonly AnyNode[];

function compilePath({ absolute, steps }: Path, namespaces: Namespaces): Take {
  const takes = steps.map((step) => compileStep(step, namespaces));
  // `//` leaves document order: what it finds below nested nodes is sorted once, at the end.
  const tangled = steps.some(({ axis }) => axis === 'descendant-or-self');
  return (context) => {
    let current: Nodes = [absolute ? rootOf(context) : context];
    for (const take of takes) current = take(current);
    return tangled ? [...current].sort((a, b) => a.order - b.order) : current;
  };
}

function rootOf(node: AnyNode): AnyNode {
  let root = node;
  while (root.parent) root = root.parent;
  return root;
}

function compileStep(step: Step, namespaces: Namespaces): (nodes: Nodes) => Nodes {
  if (step.axis === 'self') return (nodes) => nodes;
  // Up from siblings, and down from nested nodes, the same node is met more than once.
  if (step.axis === 'parent') return (nodes) => distinct(nodes, (node) => (node.parent ? [node.parent] : []));
  if (step.axis === 'descendant-or-self') return (nodes) => distinct(nodes, (node) => descendants(node, []));
  const matches = step.axis === 'text' ? (node: AnyNode) => node.kind === 'text' : nameTest(step, namespaces);
  const among = step.axis === 'attribute' ? attributesOf : childrenOf;
  const predicates = step.predicates.map((predicate) => compilePredicate(predicate, namespaces));
  const take: Take = (node) => predicates.reduce((left: Nodes, keep) => left.filter(keep), among(node).filter(matches));
  return (nodes) => (nodes.length === 1 ? take(nodes[0]!) : nodes.flatMap(take));
}

const distinct = (nodes: Nodes, take: Take): Nodes =>
  nodes.length === 1 ? take(nodes[0]!) : [...new Set(nodes.flatMap(take))];

const childrenOf: Take = (node) => ('children' in node ? node.children : []);
const attributesOf: Take = (node) => (node.kind === 'element' ? node.attributes : []);

function descendants(node: AnyNode, into: AnyNode[]): AnyNode[] {
  into.push(node);
  for (const child of childrenOf(node)) descendants(child, into);
  return into;
}

function nameTest({ axis, test }: { axis: string; test: NameTest }, namespaces: Namespaces) {
  const { prefix, name } = test;
  const kind = axis === 'attribute' ? 'attribute' : 'element';
  if (name === '*' && prefix === undefined) return (node: AnyNode) => node.kind === kind;
  // An attribute without a prefix is in no namespace.
  const namespace = prefix === undefined && kind === 'attribute' ? '' : (namespaces[prefix ?? ''] ?? '');
  return (node: AnyNode) => node.kind === kind && node.namespace === namespace && (name === '*' || node.name === name);
}

type Keep = (node: AnyNode, index: number) => boolean;

function compilePredicate(predicate: Predicate, namespaces: Namespaces): Keep {
  if (predicate.kind === 'position') return (_, index) => index + 1 === predicate.position;
  const nodes = compilePath(predicate.path, namespaces);
  if (predicate.kind === 'exists') return (node) => nodes(node).length > 0;
  const { literal, equal } = predicate;
  const same =
    typeof literal === 'number'
      ? (node: AnyNode) => numberOf(stringValue(node)) === literal
      : (node: AnyNode) => stringValue(node) === literal;
  // As in XPath: some node compares so. `!=` is not the opposite of `=`, and nothing compares with a missing node.
  return (node) => nodes(node).some((each) => same(each) === equal);
}

const numberOf = (text: string) => (/^\s*-?(\d+\.?\d*|\.\d+)\s*$/.test(text) ? Number(text) : Number.NaN);
