// Well-formedness and limits, which fast-xml-parser leaves unchecked: it closes whatever is open, takes a cut document for
// a whole one, and its validator lets a second root through at twice the cost of this. One forward pass, no recursion and
// no copies, before a byte reaches the parser.

import { errors } from './errors.ts';

export const limits = { depth: 64, elements: 250_000, attributes: 256 } as const;

/**
 * Refuses what is dangerous or not well-formed. Returns the text with the XML declaration and the DOCTYPE blanked out, so
 * that the parser never sees them and its line numbers stay right.
 */
export function guard(text: string): string {
  const forbidden = text.search(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/);
  if (forbidden >= 0) throw malformed(text, forbidden, 'a control character is not allowed');
  const walk = new Walk(text);
  walk.document();
  return blank(text, walk.blanks);
}

const blank = (text: string, ranges: readonly (readonly [number, number])[]) =>
  ranges.reduce(
    (kept, [from, to]) => kept.slice(0, from) + kept.slice(from, to).replace(/[^\n]/g, ' ') + kept.slice(to),
    text,
  );

const name = /[\p{L}_:][\p{L}\p{N}\p{M}_:.\u00b7-]*/uy;
const attribute = /\s+([\p{L}_:][\p{L}\p{N}\p{M}_:.\u00b7-]*)\s*=\s*(?:"[^"<]*"|'[^'<]*')/uy;
const ending = /\s*\/?>/y;

function nameAt(text: string, at: number): string {
  name.lastIndex = at;
  const found = name.exec(text)?.[0];
  if (found === undefined) throw malformed(text, at, '"<" is not followed by a name');
  return found;
}

const reference = /&(?:lt|gt|amp|quot|apos|#(\d{1,7})|#x([\da-fA-F]{1,6}));/y;

class Walk {
  readonly blanks: [number, number][] = [];
  readonly #text: string;
  #at = 0;
  readonly #open: string[] = [];
  #elements = 0;
  #rooted = false;
  #doctype = false;
  #ampersand: number;

  constructor(text: string) {
    this.#text = text;
    this.#ampersand = text.indexOf('&');
  }

  document(): void {
    const text = this.#text;
    const start = text.search(/\S/);
    if (start < 0) throw errors.ADAPTER_DOCUMENT_EMPTY();
    this.#at = start;
    if (/^<\?xml\s/.test(text.slice(start, start + 6))) {
      this.blanks.push([start, this.#closed(start, '?>', 'the XML declaration')]);
      this.#at = this.blanks[0]![1];
    }
    for (;;) {
      const next = text.indexOf('<', this.#at);
      this.#characters(next < 0 ? text.length : next);
      if (next < 0) break;
      this.#at = this.#markup(next);
    }
    if (!this.#rooted) throw malformed(text, start, 'there is no element');
    const open = this.#open.at(-1);
    if (open !== undefined) throw malformed(text, text.length, `the document ends inside "${open}"`);
  }

  /** Character data up to the next markup. */
  #characters(end: number): void {
    if (this.#open.length > 0) {
      this.#references(end);
      return;
    }
    const stray = this.#text.slice(this.#at, end).search(/\S/);
    if (stray >= 0) throw malformed(this.#text, this.#at + stray, 'text outside the root element');
  }

  /** Each piece of markup, by its second character; returns where it ends. */
  #markup(at: number): number {
    const text = this.#text;
    if (text.startsWith('!--', at + 1)) return this.#opaque(at + 4, '-->', 'a comment');
    if (text.startsWith('![CDATA[', at + 1)) {
      if (this.#open.length === 0) throw malformed(text, at, 'text outside the root element');
      return this.#opaque(at + 9, ']]>', 'a CDATA section');
    }
    if (text.startsWith('!DOCTYPE', at + 1)) return this.#documentType(at);
    if (text[at + 1] === '?') {
      if (/^xml[\s?]/i.test(text.slice(at + 2, at + 6))) throw malformed(text, at, 'a second XML declaration');
      return this.#opaque(at + 2, '?>', 'a processing instruction');
    }
    return text[at + 1] === '/' ? this.#endTag(at) : this.#startTag(at);
  }

  #startTag(at: number): number {
    const text = this.#text;
    if (this.#open.length === 0 && this.#rooted) throw malformed(text, at, 'a second root element');
    this.#rooted = true;
    if (++this.#elements > limits.elements) throw limit(text, at, `more than ${limits.elements} elements`);
    const name = nameAt(text, at + 1);
    const end = this.#attributes(at, at + 1 + name.length);
    this.#references(end);
    if (text[end] === '/') return end + 2;
    this.#open.push(name);
    if (this.#open.length > limits.depth) throw limit(text, at, `more than ${limits.depth} levels`);
    return end + 1;
  }

  #endTag(at: number): number {
    const text = this.#text;
    const name = this.#open.pop();
    if (name === undefined) throw malformed(text, at, 'an end tag without a start tag');
    const end = this.#closed(at, '>', 'an end tag');
    const found = text.slice(at + 2, end - 1).trimEnd();
    if (found !== name) throw malformed(text, at, `"${name}" is open, not "${found.slice(0, 60)}"`);
    return end;
  }

  /** The attributes of a start tag; returns where its `>` or `/>` is. */
  #attributes(at: number, from: number): number {
    const text = this.#text;
    const names: string[] = [];
    for (let i = from; ; ) {
      attribute.lastIndex = i;
      const match = attribute.exec(text);
      if (!match) {
        ending.lastIndex = i;
        if (!ending.test(text))
          throw malformed(text, i, 'a tag is not closed, or an attribute not written as name="value"');
        return text[ending.lastIndex - 2] === '/' ? ending.lastIndex - 2 : ending.lastIndex - 1;
      }
      const name = match[1]!;
      if (names.includes(name)) throw malformed(text, i, `the attribute "${name}" is repeated`);
      if (names.push(name) > limits.attributes) throw limit(text, at, `more than ${limits.attributes} attributes`);
      i = attribute.lastIndex;
    }
  }

  /** Every reference up to here names a character: with entities refused there is nothing else it could mean. */
  #references(end: number): void {
    for (
      ;
      this.#ampersand >= 0 && this.#ampersand < end;
      this.#ampersand = this.#text.indexOf('&', reference.lastIndex)
    ) {
      reference.lastIndex = this.#ampersand;
      const match = reference.exec(this.#text);
      const code = match?.[1] ? Number(match[1]) : match?.[2] ? Number.parseInt(match[2], 16) : 0x20;
      if (!match || !isCharacter(code))
        throw malformed(this.#text, this.#ampersand, '"&" does not start a known reference');
    }
  }

  /** Markup in which references mean nothing. */
  #opaque(from: number, close: string, what: string): number {
    const end = this.#closed(from, close, what);
    if (this.#ampersand >= 0 && this.#ampersand < end) this.#ampersand = this.#text.indexOf('&', end);
    return end;
  }

  #closed(from: number, close: string, what: string): number {
    const end = this.#text.indexOf(close, from);
    if (end < 0) throw malformed(this.#text, from, `${what} is not closed`);
    return end + close.length;
  }

  /** Real status pages carry a DOCTYPE: external ids are never fetched, declarations are skipped, entities are refused. */
  #documentType(at: number): number {
    if (this.#doctype || this.#rooted) throw malformed(this.#text, at, 'a DOCTYPE in the wrong place');
    this.#doctype = true;
    const end = documentTypeEnd(this.#text, at);
    this.blanks.push([at, end]);
    if (this.#ampersand >= 0 && this.#ampersand < end) this.#ampersand = this.#text.indexOf('&', end);
    return end;
  }
}

const declaration = /<!(?:ELEMENT|ATTLIST|NOTATION)\s/y;

function documentTypeEnd(text: string, start: number): number {
  const skip = (from: number, close: string) => {
    const end = text.indexOf(close, from);
    if (end < 0) throw malformed(text, start, 'the DOCTYPE is not closed');
    return end + close.length;
  };
  let depth = 1;
  for (let i = start + 9; i < text.length; ) {
    const character = text[i]!;
    if (character === '"' || character === "'") i = skip(i + 1, character);
    else if (text.startsWith('<!--', i)) i = skip(i + 4, '-->');
    else if (text.startsWith('<?', i)) i = skip(i + 2, '?>');
    else if (text.startsWith('<!ENTITY', i) || (character === '%' && /\w/.test(text[i + 1] ?? '')))
      throw errors.ADAPTER_DOCUMENT_ENTITY({ position: position(text, i) });
    else if (character === '<') {
      declaration.lastIndex = i;
      if (depth !== 1 || !declaration.test(text)) throw malformed(text, i, 'an unknown declaration in the DOCTYPE');
      depth++;
      i++;
    } else if (character === '>') {
      if (--depth === 0) return i + 1;
      i++;
    } else i++;
  }
  throw malformed(text, start, 'the DOCTYPE is not closed');
}

const isCharacter = (code: number) =>
  code === 0x9 ||
  code === 0xa ||
  code === 0xd ||
  (code >= 0x20 && code <= 0xd7ff) ||
  (code >= 0xe000 && code <= 0x10ffff && code !== 0xfffe && code !== 0xffff);

/** `line:column`, from 1. */
export function position(text: string, index: number): string {
  const before = text.slice(0, index).split(/\r\n|\n|\r/);
  return `${before.length}:${before.at(-1)!.length + 1}`;
}

export const malformed = (text: string, index: number, detail: string) =>
  errors.ADAPTER_DOCUMENT_MALFORMED({ position: position(text, index), detail });

const limit = (text: string, index: number, detail: string) =>
  errors.ADAPTER_DOCUMENT_LIMIT({ position: position(text, index), detail });
