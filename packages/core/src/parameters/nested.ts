// Parameters whose value is a structure: rules, routes. `rules: nested(schema, ...)` is given as a YAML or JSON file
// (`--rules-file`, OUTRIGGER_RULES_FILE, `rulesFile:` in the config file), or in the config file itself under `rules:`.

import type * as z from 'zod/mini';
import { scalar, typed } from './kinds.ts';
import type { Nested, Options, Path, Reading } from './parameter.ts';
import type { Problem } from './problem.ts';
import { redacted } from './redact.ts';
import { nodeAt, type Structure } from './structure.ts';
import { type Finding, findingsOf } from './structure-problems.ts';

type NestedOptions<S extends z.ZodMiniType, T> = Omit<Options, 'default'> & {
  /** Makes the value of what the schema accepts, and says what a schema cannot; without it, the value is what it accepts. */
  readonly read?: (accepted: z.output<S>, reading: Reading) => T;
};

/**
 * Use `strictObject`, so that an unknown key is a problem. No secrets in it: let it name parameters or files that hold
 * them. All problems are reported at once, each with file:line:column and its path.
 */
export function nested<S extends z.ZodMiniType, const O extends Omit<Options, 'default'>, T = z.output<S>>(
  schema: S,
  options: O & NestedOptions<S, T>,
) {
  const read = options.read ?? ((accepted: z.output<S>) => accepted as unknown as T);
  return typed<T, O>({
    ...scalar<T>(options, {
      kind: 'path',
      // Of its file; renderSchema adds that of the structure itself.
      schema: { type: 'string' },
      parse: (written) => written as T,
    }),
    nested: { schema, read: read as Nested['read'] },
  });
}

const mostFindings = 50;

/** The value, unless something was added to the problems. */
export function readNested(
  { schema, read }: Nested,
  { structure, at, parameter, problems }: { structure: Structure; at: Path; parameter: string; problems: Problem[] },
): unknown {
  const say = ({ path, message, value, key }: Finding) => {
    const name = path
      .map((each) => (typeof each === 'number' ? `[${each}]` : `.${each}`))
      .join('')
      .replace(/^\./, '');
    problems.push({
      parameter,
      value: value === undefined ? undefined : shown(value),
      source: structure.place([...at, ...path], key ? 'key' : 'value'),
      message: name ? `${name}: ${message}` : message,
    });
  };
  const written = nodeAt(structure.root, at)!.value;
  const before = problems.length;
  const parsed = schema.safeParse(written);
  if (!parsed.success) {
    const findings = findingsOf(parsed.error, schema, written);
    for (const finding of findings.slice(0, mostFindings)) say(finding);
    const left = findings.length - mostFindings;
    if (left > 0) problems.push({ parameter, message: `and ${left} problems more` });
    return undefined;
  }
  const value = read(parsed.data, {
    file: structure.file,
    place: (...path) => structure.place([...at, ...path]),
    problem: (message, ...path) => say({ path, message, value: nodeAt(structure.root, [...at, ...path])?.value }),
  });
  return problems.length > before ? undefined : value;
}

function shown(value: unknown): string {
  const text = typeof value === 'string' && /^\S+$/.test(value) ? value : (JSON.stringify(value) ?? String(value));
  const clean = redacted(text);
  return clean.length > 60 ? `${clean.slice(0, 60)}...` : clean;
}
