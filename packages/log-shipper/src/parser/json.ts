// One JSON object per line. Numbers that a double cannot hold keep their digits.

import { defineParser, type Fields } from './parser.ts';

export const json = defineParser({
  summary: 'One JSON object per line',
  parameters: {},
  open: () => ({
    parse(bytes, start, end) {
      const text = bytes.toString('utf8', start, end);
      // The reviver costs three times the parse, and few lines need it.
      const value: unknown = tooExact.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('Not a JSON object');
      return value as Fields;
    },
  }),
});

declare global {
  // TypeScript does not know these yet.
  interface JSON {
    parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
    rawJSON(text: string): { readonly rawJSON: string };
    isRawJSON(value: unknown): value is { readonly rawJSON: string };
  }
}

const tooExact = /\d{16}|\d[eE]\+?\d{3}/;

function keepDigits(_key: string, value: unknown, { source }: { source?: string }): unknown {
  const exact = typeof value !== 'number' || source === undefined || Number.isSafeInteger(value);
  return exact || (Number.isFinite(value) && !/^-?\d+$/.test(source)) ? value : JSON.rawJSON(source);
}
