// Values of keys in a text, whatever it is: a query, a header, JSON, JSON in a string of JSON, markup.

export type Span = { readonly start: number; readonly end: number };

/** Where the value lies that follows a key and its separator; `bare` finds one that has no quotes around it. */
export function valueAt(
  text: string,
  from: number,
  bare: (text: string, start: number) => Span | undefined,
): Span | undefined {
  let start = from;
  while (start < from + 8 && (text[start] === ' ' || text[start] === '\t')) start++;
  let slashes = start;
  while (text[slashes] === '\\') slashes++;
  const quote = text[slashes];
  if (quote === '"' || quote === "'" || quote === '`') {
    const close = text.slice(start, slashes + 1);
    const end = closing(text, slashes + 1, close);
    return end > slashes + 1 ? { start: slashes + 1, end } : undefined;
  }
  if (quote === '{' || quote === '[') return { start, end: bracket(text, start) };
  return bare(text, start);
}

export function spanOf(text: string, start: number, pattern: RegExp): Span | undefined {
  pattern.lastIndex = start;
  const end = start + (pattern.exec(text)?.[0].length ?? 0);
  return end > start ? { start, end } : undefined;
}

/** Where a quoted value ends: at the quote that is escaped as the opening one is. Without one, at the end. */
function closing(text: string, from: number, close: string): number {
  const escaped = close.length - 1;
  const quote = close[escaped]!;
  for (let at = text.indexOf(quote, from); at !== -1; at = text.indexOf(quote, at + 1)) {
    let slashes = 0;
    while (at - slashes > from && text[at - slashes - 1] === '\\') slashes++;
    if (escaped === 0 ? slashes % 2 === 0 : slashes <= escaped) return at - (escaped === 0 ? 0 : slashes);
  }
  return text.length;
}

/** Behind the bracket that closes the one at `start`; strings inside are skipped. */
function bracket(text: string, start: number): number {
  let depth = 0;
  const part = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}]/gs;
  part.lastIndex = start;
  for (let found = part.exec(text); found; found = part.exec(text)) {
    if (found[0] === '{' || found[0] === '[') depth++;
    else if (found[0] === '}' || found[0] === ']') depth--;
    if (depth === 0) return part.lastIndex;
  }
  return text.length;
}

/** Up to what ends a value in most notations. */
export const word = (text: string, start: number): Span | undefined => spanOf(text, start, /[^\s,;&|"'<>)\]}]+/y);

export const markup = (text: string, start: number): Span | undefined => spanOf(text, start, /[^<]+/y);

/** What is one already, or says that there is none. */
const nothing = /^(?:\*+|x{3,}|\[?(?:redacted|filtered|hidden|masked)\b.*|null|nil|none|undefined|true|false)$/i;

export const isNothing = (value: string): boolean => nothing.test(value);

/** A key as it ends, with its quote: then what parts it from its value, or a blank where it is a flag. */
export const separator = String.raw`(?:\\*["'])?(\s{0,8}(?:=>|:=|=|:)|>|(?<=(?:^|\s)--?[\w-]{1,80})\s(?!-))`;
