// What differs between two texts, as `diff -u` prints it.

type Edit = { readonly kind: ' ' | '-' | '+'; readonly line: string };
type Hunk = { readonly from: number; readonly to: number };

const context = 3;

/** Empty when they are the same. */
export function unifiedDiff(names: readonly [string, string], before: string, after: string): string {
  if (before === after) return '';
  const edits = editsBetween(linesOf(before), linesOf(after));
  const hunks = hunksOf(edits).map((hunk) => printHunk(edits, hunk));
  return [`--- ${names[0]}\n`, `+++ ${names[1]}\n`, ...hunks].join('');
}

/** With their ends, so that a missing one at the end of the file is seen. */
const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

/** What is the same at both ends is set aside; between, the longest common subsequence. */
function editsBetween(before: readonly string[], after: readonly string[]): Edit[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  const same = (line: string): Edit => ({ kind: ' ', line });
  return [
    ...before.slice(0, head).map(same),
    ...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ];
}

function middle(before: readonly string[], after: readonly string[]): Edit[] {
  const width = after.length + 1;
  // How many lines what follows has in common; manifests are short.
  const common = new Uint32Array((before.length + 1) * width);
  for (let row = before.length - 1; row >= 0; row--)
    for (let column = after.length - 1; column >= 0; column--)
      common[row * width + column] =
        before[row] === after[column]
          ? common[(row + 1) * width + column + 1]! + 1
          : Math.max(common[(row + 1) * width + column]!, common[row * width + column + 1]!);
  const edits: Edit[] = [];
  let [row, column] = [0, 0];
  while (row < before.length || column < after.length) {
    const [old, fresh] = [before[row], after[column]];
    if (old !== undefined && old === fresh) {
      edits.push({ kind: ' ', line: old });
      row++;
      column++;
    } else if (
      fresh === undefined ||
      (old !== undefined && common[(row + 1) * width + column]! >= common[row * width + column + 1]!)
    ) {
      edits.push({ kind: '-', line: old! });
      row++;
    } else {
      edits.push({ kind: '+', line: fresh });
      column++;
    }
  }
  return edits;
}

/** Changes with what is around them; those that are near each other are one. */
function hunksOf(edits: readonly Edit[]): Hunk[] {
  const hunks: { from: number; to: number }[] = [];
  for (const [index, { kind }] of edits.entries()) {
    if (kind === ' ') continue;
    const [from, to] = [Math.max(0, index - context), Math.min(edits.length, index + context + 1)];
    const last = hunks.at(-1);
    if (last && from <= last.to) last.to = to;
    else hunks.push({ from, to });
  }
  return hunks;
}

function printHunk(edits: readonly Edit[], { from, to }: Hunk): string {
  const inHunk = edits.slice(from, to);
  const range = (side: '-' | '+') => {
    const count = (some: readonly Edit[]) => some.filter(({ kind }) => kind === ' ' || kind === side).length;
    const [above, length] = [count(edits.slice(0, from)), count(inHunk)];
    // An empty range is named by the line before it.
    const start = length === 0 ? above : above + 1;
    return length === 1 ? `${start}` : `${start},${length}`;
  };
  const lines = inHunk.map(({ kind, line }) =>
    line.endsWith('\n') ? `${kind}${line}` : `${kind}${line}\n\\ No newline at end of file\n`,
  );
  return [`@@ -${range('-')} +${range('+')} @@\n`, ...lines].join('');
}

/** Red and green, as git has them. */
export const coloured = (diff: string): string =>
  diff.replaceAll(/^(?:(-)|(\+)|(@@)).*$/gm, (line: string, minus?: string, plus?: string) => {
    const colour = minus ? 31 : plus ? 32 : 36;
    return `\u001b[${colour}m${line}\u001b[0m`;
  });
