// Whether whoever relies on one description of an API can live with another: what a version promises is kept.

import { notFitting, type Position } from './compare-schemas.ts';
import { resolve } from './schema-forms.ts';

type Json = Readonly<Record<string, unknown>>;

/** Enough of an OpenAPI document to compare two. */
export type ApiDescription = {
  readonly paths?: Readonly<Record<string, object>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, unknown>> };
};

type Operation = {
  readonly operationId?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content?: Contents };
  readonly responses?: Responses;
  readonly security?: readonly Json[];
};
type Responses = Readonly<Record<string, Response>>;
type Response = { readonly headers?: Json; readonly content?: Contents };
type Parameter = {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema?: unknown;
  readonly style?: string;
  readonly explode?: boolean;
};
type Contents = Readonly<Record<string, { readonly schema?: unknown }>>;

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const;

/**
 * Each promise of `before` that `after` breaks, one line each; none when only things were added. What clients send must
 * still be taken (contravariant), what they receive must be what they know (covariant), and the values of an enum that
 * they receive stay the same: they may wait for one, or know no other.
 */
export function incompatibilities(before: ApiDescription, after: ApiDescription): string[] {
  return Object.entries(before.paths ?? {}).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const [old, now] = [item, after.paths?.[path]].map((each) => (each as Item | undefined)?.[method]);
      const place = `${method.toUpperCase()} ${path}`;
      if (!old) return [];
      return now ? new Comparison(before, after).operation(place, old, now) : [`${place}: removed`];
    }),
  );
}

type Item = Readonly<Record<string, Operation>>;

class Comparison {
  readonly #before: ApiDescription;
  readonly #after: ApiDescription;

  constructor(before: ApiDescription, after: ApiDescription) {
    this.#before = before;
    this.#after = after;
  }

  operation(place: string, before: Operation, after: Operation): string[] {
    const renamed = before.operationId !== after.operationId;
    return [
      ...(renamed ? [`${place}: operationId ${before.operationId} is now ${after.operationId}`] : []),
      ...(isOpen(before) && !isOpen(after) ? [`${place}: credentials are required now`] : []),
      ...this.#parameters(place, before.parameters ?? [], after.parameters ?? []),
      ...this.#requestBody(`${place} body`, before.requestBody, after.requestBody),
      ...this.#responses(place, before.responses ?? {}, after.responses ?? {}),
    ];
  }

  #parameters(place: string, before: readonly Parameter[], after: readonly Parameter[]): string[] {
    const known = new Set(before.map(keyOf));
    const now = new Map(after.map((each) => [keyOf(each), each]));
    const fresh = after.filter((each) => each.required && !known.has(keyOf(each)));
    return [
      ...before.flatMap((old) => this.#parameter(`${place} ${old.in} ${old.name}`, old, now.get(keyOf(old)))),
      ...fresh.map((each) => `${place} ${each.in} ${each.name}: new and required`),
    ];
  }

  #parameter(place: string, before: Parameter, after: Parameter | undefined): string[] {
    if (!after) return [`${place}: removed`];
    const otherwise = before.style !== after.style || before.explode !== after.explode;
    return [
      ...(after.required && !before.required ? [`${place}: required now`] : []),
      ...(otherwise ? [`${place}: written otherwise now`] : []),
      ...this.#schemas(place, before.schema, after.schema, 'text'),
    ];
  }

  #requestBody(place: string, before: Operation['requestBody'], after: Operation['requestBody']): string[] {
    if (before && !after) return [`${place}: removed`];
    return [
      ...(after?.required && !before?.required ? [`${place}: required now`] : []),
      ...this.#contents(place, before?.content ?? {}, after?.content ?? {}, 'input'),
    ];
  }

  #responses(place: string, before: Responses, after: Responses): string[] {
    // New errors come under those that were there, new ways of success do not.
    const fresh = Object.keys(after).filter((status) => /^[123]/.test(status) && !(status in before));
    const [old, now] = [resolved(before, this.#before), resolved(after, this.#after)];
    return [
      ...Object.entries(old).flatMap(([status, each]) => this.#response(`${place} ${status}`, each, now[status])),
      ...fresh.map((status) => `${place} ${status}: a new status of success`),
    ];
  }

  #response(place: string, before: Response, after: Response | undefined): string[] {
    if (!after) return [`${place}: removed`];
    const headers = new Set(Object.keys(after.headers ?? {}).map((each) => each.toLowerCase()));
    const gone = Object.keys(before.headers ?? {}).filter((each) => !headers.has(each.toLowerCase()));
    return [
      ...gone.map((header) => `${place} header ${header}: removed`),
      ...this.#contents(place, before.content ?? {}, after.content ?? {}, 'output'),
    ];
  }

  #contents(place: string, before: Contents, after: Contents, position: Position): string[] {
    return Object.entries(before).flatMap(([type, { schema }]) => {
      const now = after[type];
      const where = `${place} ${type}`;
      return now ? this.#schemas(where, schema, now.schema, position) : [`${where}: removed`];
    });
  }

  #schemas(place: string, before: unknown, after: unknown, position: Position): string[] {
    const sides = { before: { root: this.#before, schema: before }, after: { root: this.#after, schema: after } };
    return notFitting(sides, position).map(({ path, what }) => `${place}${path && ` ${path}`}: ${what}`);
  }
}

const resolved = (responses: Responses, root: object): Responses =>
  Object.fromEntries(Object.entries(responses).map(([status, each]) => [status, resolve(each, root)]));

const isOpen = ({ security = [] }: Operation) =>
  security.length === 0 || security.some((each) => Object.keys(each).length === 0);

const keyOf = ({ name, in: place }: Parameter) => `${place} ${place === 'header' ? name.toLowerCase() : name}`;
