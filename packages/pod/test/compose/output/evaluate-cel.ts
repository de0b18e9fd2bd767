// CEL as the API server has it: a real parser and evaluator, to which the types of JSON patches and objects are maps.
//
// What it does not know is that those types exist and that literals of mixed types are refused: that is looked for in the
// syntax tree.

import { CelScalar, celEnv, celMethod, isCelError, isCelList, isCelMap, listType, parse, plan } from '@bufbuild/cel';
import { isObject } from '../../../src/manifest/path.ts';

type Expression = NonNullable<ReturnType<typeof parse>['expr']>;

const indexOf = celMethod('indexOf', listType(CelScalar.DYN), [CelScalar.DYN], CelScalar.INT, function (item) {
  return BigInt([...this].indexOf(item));
});

/** The value of an expression for a Pod; throws what it refuses. */
export function evaluate(expression: string, object: unknown): unknown {
  const parsed = parse(expression);
  untyped(parsed.expr);
  const environment = celEnv({ variables: { object: CelScalar.DYN }, funcs: [indexOf] });
  const result = plan(environment, parsed)({ object: toCel(object) as never });
  if (isCelError(result)) throw new Error(result.message);
  return fromCel(result);
}

/** Object.spec{a: 1} becomes {"a": 1}, in place. */
function untyped(node: unknown): void {
  if (!isObject(node)) return;
  const { exprKind } = node as unknown as Expression;
  if (exprKind?.case === 'structExpr') {
    const struct = exprKind.value;
    if (struct.messageName && !/^(JSONPatch|Object(\.[A-Za-z_][A-Za-z0-9_]*)+)$/.test(struct.messageName))
      throw new Error(`no type ${struct.messageName}`);
    if (struct.messageName) {
      for (const entry of struct.entries) toMapEntry(entry);
      struct.messageName = '';
    } else sameKinds(struct.entries.map(({ value }) => value));
  }
  if (exprKind?.case === 'listExpr') sameKinds(exprKind.value.elements);
  for (const [key, child] of Object.entries(node)) if (key !== '$typeName') untyped(child);
}

type Entry = Extract<Expression['exprKind'], { case: 'structExpr' }>['value']['entries'][number];

function toMapEntry(entry: Entry): void {
  if (entry.keyKind.case !== 'fieldKey') throw new Error('a type has fields, not keys');
  const [{ expr }, name] = [parse('""'), entry.keyKind.value];
  if (expr.exprKind.case === 'constExpr') expr.exprKind.value.constantKind = { case: 'stringValue', value: name };
  entry.keyKind = { case: 'mapKey', value: expr };
}

/** The API server compiles with homogeneous aggregate literals. */
function sameKinds(values: readonly (Expression | undefined)[]): void {
  const kinds = new Set(values.map(kindOf));
  if (kinds.size > 1) throw new Error(`a literal of mixed types: ${[...kinds].join(', ')}`);
}

function kindOf(value: Expression | undefined): string {
  const { exprKind } = value!;
  if (exprKind.case === 'constExpr') return String(exprKind.value.constantKind.case);
  if (exprKind.case === 'callExpr') return exprKind.value.function;
  return exprKind.case === 'structExpr' ? `struct ${exprKind.value.messageName}` : String(exprKind.case);
}

function toCel(value: unknown): unknown {
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  if (Array.isArray(value)) return value.map(toCel);
  return isObject(value) ? new Map(Object.entries(value).map(([key, each]) => [key, toCel(each)])) : value;
}

function fromCel(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (isCelList(value)) return [...value].map(fromCel);
  if (isCelMap(value))
    return Object.fromEntries([...value.entries()].map(([key, each]) => [String(key), fromCel(each)]));
  return value;
}
