// A scalar as YAML. Strings are quoted only where they must be: where YAML 1.1, as the API server reads it, or 1.2 would
// take them for something else.

export function scalarText(
  value: unknown,
  { flow, quote }: { readonly flow: boolean; readonly quote: "'" | '"' },
): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  if (isPlain(value) && !(flow && /[,[\]{}?]/.test(value))) return value;
  return quoted(value, quote);
}

function isPlain(text: string): boolean {
  if (text === '' || text !== text.trim() || !isPrintable(text)) return false;
  if (/^[-,[\]{}#&*!|>'"%@`?:]/.test(text) && !/^-{1,2}[\w./]/.test(text)) return false;
  if (/:(\s|$)|\s#|^\.\.\./.test(text)) return false;
  return !isOther(text);
}

/** Tabs, line breaks, also the Unicode ones, controls, and halves of surrogate pairs need an escape. */
const isPrintable = (text: string) =>
  !/[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/.test(text) && text.isWellFormed();

const words = /^(?:~|null|true|false|yes|no|on|off|y|n|=|<<)$/i;
const numbers = [
  /^[-+]?(?:0x[\da-f]+|0o?[0-7]+|0b[01]+)$/i,
  /^[-+]?(?:\d+\.?\d*|\.\d*)(?:e[-+]?\d+)?$/i,
  /^[-+]?\.(?:inf|nan)$/i,
  // Base 60.
  /^[-+]?\d+(?::[0-5]?\d)+(?:\.\d*)?$/,
];
const date = /^\d{4}-\d\d?-\d\d?(?:$|[Tt\s])/;

/** Whether a reader would take the plain text for a null, a boolean, a number or a date. */
function isOther(text: string): boolean {
  if (words.test(text) || date.test(text)) return true;
  const digits = text.replaceAll('_', '');
  return numbers.some((number) => number.test(digits));
}

function quoted(text: string, quote: "'" | '"'): string {
  const single = isPrintable(text) && (quote === "'" ? true : /["\\]/.test(text) && !text.includes("'"));
  if (single) return `'${text.replaceAll("'", "''")}'`;
  return jsonText(text);
}

/** Also what JSON leaves as it is and YAML does not. */
export const jsonText = (text: string): string =>
  JSON.stringify(text).replace(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
