// An honest subset of XPath 1.0 location paths: everything written in it means in full XPath what it means here.
// `/` `//` names `prefix:name` `*` `@attribute` `text()` `.` `..` [3] [path] [path = 'text'] [path != 3], and literals.

export type NameTest = { readonly prefix?: string; readonly name: string };
export type Step =
  | { readonly axis: 'child' | 'attribute'; readonly test: NameTest; readonly predicates: readonly Predicate[] }
  | { readonly axis: 'text'; readonly predicates: readonly Predicate[] }
  | { readonly axis: 'self' }
  | { readonly axis: 'parent' }
  | { readonly axis: 'descendant-or-self' };
export type Predicate =
  | { readonly kind: 'position'; readonly position: number }
  | { readonly kind: 'exists'; readonly path: Path }
  | { readonly kind: 'compare'; readonly path: Path; readonly equal: boolean; readonly literal: string | number };
export type Path = { readonly kind: 'path'; readonly absolute: boolean; readonly steps: readonly Step[] };
export type Literal = { readonly kind: 'literal'; readonly value: string | number };

type Token = { readonly text: string; readonly at: number };

const tokens = /\s*(?:(\/\/|\/|\.\.|!=|::|"[^"]*"|'[^']*'|\d+(?:\.\d*)?|\.\d+|[\p{L}_][\p{L}\p{N}_.\u00b7-]*|[^\s]))/uy;
const isName = (text: string) => /^[\p{L}_]/u.test(text);
const isNumber = (text: string) => /^\.?\d/.test(text);
const supported = "a path is made of / // names * @attribute text() . .. [n] [path] and [path = 'text']";

/** Throws an Error that names the character where the path stops making sense. */
export function parsePath(source: string): Path | Literal {
  const parser = new Parser(source);
  return parser.whole();
}

class Parser {
  readonly #tokens: Token[] = [];
  readonly #end: number;
  #next = 0;

  constructor(source: string) {
    this.#end = source.length;
    tokens.lastIndex = 0;
    for (let match = tokens.exec(source); match; match = tokens.exec(source))
      this.#tokens.push({ text: match[1]!, at: tokens.lastIndex - match[1]!.length });
  }

  whole(): Path | Literal {
    const value = this.#literal();
    const parsed: Path | Literal = value === undefined ? this.#path() : { kind: 'literal', value };
    if (this.#peek() !== undefined) throw this.#unexpected();
    return parsed;
  }

  #peek(ahead = 0): string | undefined {
    return this.#tokens[this.#next + ahead]?.text;
  }

  #take(text: string): boolean {
    if (this.#peek() !== text) return false;
    this.#next++;
    return true;
  }

  #unexpected(): Error {
    const token = this.#tokens[this.#next];
    const found = token ? `"${token.text}" at character ${token.at + 1}` : `the end at character ${this.#end + 1}`;
    return new Error(`${found} is not expected; ${supported}`);
  }

  #literal(): string | number | undefined {
    const text = this.#peek();
    if (text === undefined) return undefined;
    if (/^(".*"|'.*')$/s.test(text)) {
      this.#next++;
      return text.slice(1, -1);
    }
    if (!isNumber(text)) return undefined;
    this.#next++;
    return Number(text);
  }

  #path(): Path {
    const steps: Step[] = [];
    const absolute = this.#peek() === '/' || this.#peek() === '//';
    if (this.#take('//')) steps.push({ axis: 'descendant-or-self' });
    // `/` alone is the document.
    else if (this.#take('/') && (this.#peek() === undefined || this.#peek() === ']'))
      return { kind: 'path', absolute, steps };
    for (;;) {
      steps.push(this.#step());
      if (this.#take('//')) steps.push({ axis: 'descendant-or-self' });
      else if (!this.#take('/')) return { kind: 'path', absolute, steps };
    }
  }

  #step(): Step {
    if (this.#take('.')) return { axis: 'self' };
    if (this.#take('..')) return { axis: 'parent' };
    if (this.#take('@')) return { axis: 'attribute', test: this.#nameTest(), predicates: this.#predicates() };
    if (this.#peek() === 'text' && this.#peek(1) === '(' && this.#peek(2) === ')') {
      this.#next += 3;
      return { axis: 'text', predicates: this.#predicates() };
    }
    return { axis: 'child', test: this.#nameTest(), predicates: this.#predicates() };
  }

  #nameTest(): NameTest {
    const first = this.#name();
    if (first === '*' || !this.#take(':')) return { name: first };
    return { prefix: first, name: this.#name() };
  }

  #name(): string {
    const text = this.#peek();
    // A name before "(" is a function or a node type, before "::" an axis.
    if (text === undefined || !(text === '*' || isName(text)) || ['(', '::'].includes(this.#peek(1) ?? ''))
      throw this.#unexpected();
    this.#next++;
    return text;
  }

  #predicates(): Predicate[] {
    const predicates: Predicate[] = [];
    while (this.#take('[')) {
      predicates.push(this.#predicate());
      if (!this.#take(']')) throw this.#unexpected();
    }
    return predicates;
  }

  #predicate(): Predicate {
    if (/^[1-9]\d*$/.test(this.#peek() ?? '')) return { kind: 'position', position: this.#literal() as number };
    const path = this.#path();
    const equal = this.#take('=');
    if (!equal && !this.#take('!=')) return { kind: 'exists', path };
    const literal = this.#literal();
    if (literal === undefined) throw this.#unexpected();
    return { kind: 'compare', path, equal, literal };
  }
}

/** Every prefix that is used, so that an undeclared one is a mistake in the rules and not a silent nothing. */
export function prefixesOf(path: Path | Literal): string[] {
  if (path.kind === 'literal') return [];
  return path.steps.flatMap((step) => [
    ...('test' in step && step.test.prefix !== undefined ? [step.test.prefix] : []),
    ...('predicates' in step
      ? step.predicates.flatMap((predicate) => ('path' in predicate ? prefixesOf(predicate.path) : []))
      : []),
  ]);
}
