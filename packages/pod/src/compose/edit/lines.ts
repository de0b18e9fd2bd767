// Lines of a text, by offsets. Only a line feed ends one, as for the YAML library.

export const lineStart = (text: string, offset: number): number =>
  offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;

/** Before the line break. */
export function lineEnd(text: string, offset: number): number {
  const found = text.indexOf('\n', offset);
  if (found < 0) return text.length;
  return found > offset && text[found - 1] === '\r' ? found - 1 : found;
}

/** Where the line before the one of the offset ends; -1 in the first line. */
export function previousLineEnd(text: string, offset: number): number {
  const start = lineStart(text, offset);
  if (start === 0) return -1;
  return start > 1 && text[start - 2] === '\r' ? start - 2 : start - 1;
}

/** A byte order mark takes no column. */
export function columnOf(text: string, offset: number): number {
  const start = lineStart(text, offset);
  return offset - start - (start === 0 && text.startsWith('\uFEFF') ? 1 : 0);
}

/** The white space that the line of the offset starts with. */
export const indentOf = (text: string, offset: number): string =>
  /^\uFEFF?([ \t]*)/.exec(text.slice(lineStart(text, offset), offset))![1]!;

/** Where the line of the offset ends or, if comments indented by more than the column follow it, the last of them. */
export function endWithComments(text: string, offset: number, column: number): number {
  let end = lineEnd(text, offset);
  const line = /\r?\n([ \t]*)(#[^\n]*?)?(?=\r?\n|$)/y;
  line.lastIndex = end;
  for (let match = line.exec(text); match; match = line.exec(text)) {
    const [, indent, comment] = match;
    if (comment && indent!.length <= column) break;
    if (comment) end = line.lastIndex;
    else if (line.lastIndex === text.length) break;
  }
  return end;
}
