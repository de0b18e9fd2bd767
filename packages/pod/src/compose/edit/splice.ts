/** Text in place of other text. */
export type Splice = { readonly from: number; readonly to: number; readonly text: string };

/** Sorted by place; those of the same place in the order given. What lies in an earlier one is not done again. */
export function splice(text: string, splices: readonly Splice[]): string {
  const parts: string[] = [];
  let done = 0;
  for (const { from, to, text: inserted } of splices.toSorted((a, b) => a.from - b.from)) {
    if (from > done) parts.push(text.slice(done, from));
    parts.push(inserted);
    done = Math.max(done, to);
  }
  return parts.join('') + text.slice(done);
}
