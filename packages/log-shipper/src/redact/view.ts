// A text with what is escaped in it as it reads: \u0070 and \/, however often the backslash itself is escaped. A reader who
// decodes the line as JSON sees that, so the rules must too.

export type View = {
  readonly text: string;
  /** Where a place of the view is in the text it was made of. */
  place(at: number): number;
};

// Each run of backslashes is looked at once.
const escaped = /(?<!\\)\\+(?:u([0-9a-fA-F]{4})|\/)/g;

export function viewOf(source: string): View {
  if (!source.includes('\\')) return { text: source, place: (at) => at };
  /** Where a piece begins, in the view and in the source, in pairs. */
  const pieces: number[] = [0, 0];
  let text = '';
  let from = 0;
  for (const { 0: written, 1: code, index } of source.matchAll(escaped)) {
    text += source.slice(from, index);
    pieces.push(text.length, index);
    text += code === undefined ? '/' : String.fromCharCode(Number.parseInt(code, 16));
    from = index + written.length;
    pieces.push(text.length, from);
  }
  text += source.slice(from);
  return { text, place: (at) => placeIn(pieces, at) };
}

function placeIn(pieces: readonly number[], at: number): number {
  let low = 0;
  let high = pieces.length / 2 - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (pieces[2 * middle]! <= at) low = middle;
    else high = middle - 1;
  }
  return pieces[2 * low + 1]! + at - pieces[2 * low]!;
}
