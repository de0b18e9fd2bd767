// Parameters of many values, and families whose members read parameters of their own.

import { choice, typed } from './kinds.ts';
import type { Maybe, Member, Options, Parameter, Parameters, Values } from './parameter.ts';

type ListOptions = Omit<Options, 'default'> & { readonly default?: readonly string[]; readonly reach?: boolean };
type ItemOptions = { help: string; optional: false; reach?: boolean | undefined };

/** Many values of one kind: the flag repeats, the variable is separated by commas or newlines, the file has a list. */
export function list<T, const O extends ListOptions>(
  of: (options: ItemOptions) => Parameter<T>,
  options: O,
): Parameter<Maybe<T[], O>> {
  const item = of({ help: options.help, optional: false, reach: options.reach });
  return typed<T[], O>({
    ...item,
    help: options.help,
    example: options.example,
    default: options.default,
    optional: options.optional ?? false,
    reloadable: options.reloadable ?? false,
    aliases: options.aliases ?? {},
    deprecated: options.deprecated,
    repeatable: true,
    flagOnly: false,
    schema: { type: 'array', items: item.schema },
    combine: (parsed) => parsed as T[],
    probe: item.probe && ((value) => firstProblem(value as unknown[], item.probe)),
  });
}

function firstProblem(values: readonly unknown[] | undefined, probe: Parameter<unknown>['probe']): string | undefined {
  for (const value of values ?? []) {
    const problem = probe?.(value);
    if (problem) return `"${value}": ${problem}`;
  }
  return undefined;
}

/** `key=value` pairs: the flag repeats, the file has a mapping. */
export function map<T, const O extends ListOptions>(
  of: (options: ItemOptions) => Parameter<T>,
  options: O,
): Parameter<Maybe<Readonly<Record<string, T>>, O>> {
  const item = of({ help: options.help, optional: false, reach: options.reach });
  return typed<Readonly<Record<string, T>>, O>({
    ...list(of, options),
    kind: `key=${item.kind}`,
    schema: { type: 'object', additionalProperties: item.schema },
    parse: (written) => {
      const at = written.indexOf('=');
      if (at < 1) throw new Error('key=value is expected');
      return [written.slice(0, at), item.parse(written.slice(at + 1))];
    },
    format: (pair) => `${(pair as [string, T])[0]}=${item.format((pair as [string, T])[1])}`,
    combine: (parsed) => Object.fromEntries(parsed as [string, T][]),
    probe: undefined,
    peers: item.peers && ((pair) => item.peers!((pair as [string, T])[1])),
  });
}

/** A chosen member of a family with the values of its own parameters. */
export type Chosen<M extends Member> = {
  readonly name: string;
  readonly member: M;
  readonly parameters: Values<Parameters>;
};

type FamilyOptions = ListOptions & { readonly repeatable?: boolean };
type FamilyValue<M extends Member, O> = O extends { readonly repeatable: true } ? readonly Chosen<M>[] : Chosen<M>;

/** Chooses members of a family; each chosen member reads its own parameters, `--sink forward --sink-forward-address`. */
export function family<M extends Member, const O extends FamilyOptions>(
  members: Readonly<Record<string, M>>,
  options: O,
): Parameter<Maybe<FamilyValue<M, O>, O>> {
  const names = Object.keys(members);
  const { default: written, ...rest } = options;
  const repeatable = options.repeatable ?? false;
  const one = choice(names, rest);
  return typed<FamilyValue<M, O>, O>({
    ...one,
    default: repeatable ? written : written?.[0],
    repeatable,
    members,
    schema: repeatable ? { type: 'array', items: one.schema, uniqueItems: true } : one.schema,
    // The resolver puts the members' own values in place of the names.
    combine: (parsed) => (repeatable ? parsed : parsed[0]) as FamilyValue<M, O>,
  });
}
