// What is wrong with a parameter, said the same way wherever it is found.

export type Problem = {
  /** The flag, `--upstream`, or the path in a file. */
  readonly parameter: string;
  /** As it was written; a secret's is never kept. */
  readonly value?: string | undefined;
  /** The flag, the variable or file:line:column that the value came from. */
  readonly source?: string | undefined;
  readonly message: string;
};

/** All problems of one start, aligned, one line each. */
export function formatProblems(name: string, problems: readonly Problem[]): string {
  const names = problems.map(({ parameter }) => printable(parameter));
  const width = Math.max(...names.map((each) => each.length));
  const count = problems.length === 1 ? '1 parameter is wrong' : `${problems.length} parameters are wrong`;
  const lines = problems.map((problem, index) => `  ${names[index]!.padEnd(width)}  ${formatProblem(problem)}`);
  return [`${name}: ${count}`, ...lines].join('\n');
}

/** `localhost:8080 (OUTRIGGER_UPSTREAM): a URL is expected` */
export function formatProblem({ parameter, value, source, message }: Problem): string {
  const origin = source === undefined || (source === parameter && value === undefined) ? '' : `(${source})`;
  const prefix = [value === undefined ? '' : printable(value), origin].filter(Boolean).join(' ');
  return prefix ? `${prefix}: ${printable(message)}` : printable(message);
}

// A value may hold anything: control characters would forge lines.
const printable = (text: string) => {
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => JSON.stringify(c).slice(1, -1));
  return clean.length > 400 ? `${clean.slice(0, 400)}...` : clean;
};

/**
 * Thrown by a sidecar's start when what a parameter names does not work out on this machine (a socket's path that is too
 * long). It is shown as one line with the parameter's flag, value and source, and ends the sidecar with exit code 64.
 */
export class ParameterProblem extends Error {
  readonly key: string;

  constructor(key: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ParameterProblem';
    this.key = key;
  }
}

/**
 * The same where nothing is wrong with the value: somebody else holds what it names (a port in use). Exit code 1, since
 * another start may well succeed.
 */
export class ParameterConflict extends ParameterProblem {
  constructor(key: string, message: string, options?: ErrorOptions) {
    super(key, message, options);
    this.name = 'ParameterConflict';
  }
}

/** Whether another start with the same parameters is of no use, as far as an error says. */
export const isWrongParameter = (error: unknown): error is ParameterProblem =>
  error instanceof ParameterProblem && !(error instanceof ParameterConflict);
