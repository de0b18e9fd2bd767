// HTML in which every value is escaped: names of processes are chosen by whoever runs them.

/** Markup that is safe to insert as it is. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Html | undefined | null | false | readonly Value[];

/** A template whose values are escaped, unless they are Html; undefined, null and false are nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(strings.reduce((text, string, index) => text + render(values[index - 1]) + string));
}

function render(value: Value): string {
  if (value === undefined || value === null || value === false) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(render).join('');
  return escaped(String(value));
}

// Controls and direction marks would let a name show as another, or reorder what stands beside it.
const escaped = (text: string) =>
  text.replace(/[\p{Cc}\p{Bidi_C}]/gu, '\u{fffd}').replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
