// A catalogue of errors: code, message, hint. Thrown or logged anywhere, translated once at each edge.

export type ErrorDeclaration = {
  /** Sentence case, no full stop; `{name}` is filled from the fields. */
  readonly message: string;
  /** What a person can do about it. */
  readonly hint: string;
  /** HTTP status when it reaches the API (default 500). */
  readonly status?: number;
};

export type ErrorDeclarations = Readonly<Record<string, ErrorDeclaration>>;
export type Fields = Readonly<Record<string, unknown>>;

/** An error of the catalogue. Its code is stable and may be relied on. */
export class Fault extends Error {
  readonly code: string;
  readonly hint: string;
  readonly status: number;
  readonly fields: Fields;

  constructor(code: string, declaration: ErrorDeclaration, fields: Fields = {}, cause?: unknown) {
    super(fill(declaration.message, fields), cause === undefined ? undefined : { cause });
    this.name = 'Fault';
    this.code = code;
    this.hint = fill(declaration.hint, fields);
    this.status = declaration.status ?? 500;
    this.fields = fields;
  }
}

const fill = (template: string, fields: Fields) =>
  template.replace(/\{(\w+)\}/g, (whole, name: string) => (name in fields ? String(fields[name]) : whole));

export type Catalogue<D extends ErrorDeclarations> = {
  readonly [K in keyof D]: (fields?: Fields, cause?: unknown) => Fault;
} & { readonly [declarations]: D };

export const declarations = Symbol('declarations');

/** `errors.PROXY_UPSTREAM_DOWN({ upstream }, cause)` makes the Fault. */
export function defineErrors<const D extends ErrorDeclarations>(declared: D): Catalogue<D> {
  const makers = Object.entries(declared).map(([code, declaration]) => [
    code,
    (fields?: Fields, cause?: unknown) => new Fault(code, declaration, fields, cause),
  ]);
  return { ...Object.fromEntries(makers), [declarations]: declared };
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A connection refused on every address of a name has no message of its own.
  if (error instanceof AggregateError && !error.message) return error.errors.map(messageOf).join(', ');
  return error.message || error.name;
}

/** What an unknown error says, with its causes, on one line and without a stack. */
export function reasonOf(error: unknown): string {
  const said: string[] = [];
  for (let each = error, depth = 0; each !== undefined && each !== null && depth < 5; depth++) {
    const message = messageOf(each);
    if (!said.some((before) => before.includes(message))) said.push(message);
    each = each instanceof Error ? each.cause : undefined;
  }
  return said.join(': ').replace(/\s*\n\s*/g, ' ');
}
