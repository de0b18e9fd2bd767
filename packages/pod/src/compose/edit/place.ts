// Where an addition is, as the stamp says it: `spec.containers[app].volumeMounts[/logs]`. In parentheses behind it is what
// is not taken out with all that it holds: `(new)`, a map or list that had to be made, or `(was null)`, one in place of a null.

import type { Place, Step } from '../addition.ts';

export type Added = {
  readonly place: Place;
  /** A map or list that was made: `new`, or the null that was there, with the white space before it. */
  readonly made?: 'new' | `was${string}`;
};

export const formatAdded = ({ place, made }: Added): string =>
  place.map(formatStep).join('') + (made === undefined ? '' : ` (${made})`);

function formatStep(step: Step, index: number): string {
  if (typeof step === 'string' && /^[\w-]+$/.test(step)) return index === 0 ? step : `.${step}`;
  const name = typeof step === 'string' ? step : step.name;
  // A field whose name is no word is always quoted, so that it is told from an item.
  return `[${typeof step === 'string' || !/^[^\s"[\]()]+$/.test(name) ? JSON.stringify(name) : name}]`;
}

const token = /\.?([\w-]+)|\[([^\s"[\]()]+)\]|\[("(?:[^"\\]|\\.)*")\]| \((new|was[^()]*)\)$/gy;

/** The names of the steps; undefined if the text is not one of formatAdded. */
export function parseAdded(text: string): { readonly path: readonly string[]; readonly made?: string } | undefined {
  const path: string[] = [];
  let end = 0;
  let made: string | undefined;
  for (const match of text.matchAll(token)) {
    const [whole, word, name, quoted, mark] = match;
    end = match.index + whole.length;
    made = mark;
    if (mark === undefined) path.push(word ?? name ?? unquoted(quoted!));
  }
  if (end !== text.length || path.length === 0) return undefined;
  return { path, ...(made !== undefined && { made }) };
}

function unquoted(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return text;
  }
}
