// Which lines belong to the record before them. First bytes decide where they can: nearly all lines are records of their
// own, and cost no string.

import { linearPattern } from '../linear-pattern.ts';
import { beginsWith } from './lines.ts';

/** What a line may follow: a small number that each language gives its own meaning. */
export type State = number;

/** The line begins a new record. */
export const begins = -1;
/** Added to a state: the line belongs to the record only if the next one does, too. */
export const perhaps = 0x100;

export type Language = {
  /** What may follow a line that begins a record. */
  begin(bytes: Buffer, start: number, end: number): State;
  /** What may follow a line after what was before it, or `begins`. */
  next(state: State, bytes: Buffer, start: number, end: number): State;
};

const [space, tab, returns, dot, dash, closing, opening] = [0x20, 0x09, 0x0d, 0x2e, 0x2d, 0x29, 0x28];

const isIndented = (first: number | undefined) => first === space || first === tab;

const isEmpty = (bytes: Buffer, start: number, end: number) =>
  end === start || (end === start + 1 && bytes[start] === returns);

const words = (...texts: string[]) => texts.map((text) => Buffer.from(text));

const beginsWithAny = (bytes: Buffer, start: number, end: number, any: readonly Buffer[]) =>
  any.some((word) => beginsWith(bytes, start, end, word));

const javaWords = words('Caused by: ', 'Suppressed: ', 'Wrapped by: ', '... ');

const java: Language = {
  begin: () => 0,
  next(_state, bytes, start, end) {
    const first = end > start ? bytes[start] : 0;
    if (isIndented(first)) return 0;
    const may = first === 0x43 || first === 0x53 || first === 0x57 || first === dot;
    return may && beginsWithAny(bytes, start, end, javaWords) ? 0 : begins;
  },
};

const dotnetWords = words('--- End of ', '---> ');

const dotnet: Language = {
  begin: () => 0,
  next(_state, bytes, start, end) {
    const first = end > start ? bytes[start] : 0;
    return isIndented(first) || (first === dash && beginsWithAny(bytes, start, end, dotnetWords)) ? 0 : begins;
  },
};

// Ruby: the line of the error, perhaps the source with a mark between empty lines, then indented frames; then the same of
// the cause, whose first line looks like a frame that is not indented.
const ruby = { plain: 0, frames: 1, empty: 2 } as const;
const rubyFrame = /^[^\s:][^:]*:\d+:in [`']/;

const rubyLanguage: Language = {
  begin: () => ruby.plain,
  next(state, bytes, start, end) {
    if (isEmpty(bytes, start, end)) return state === ruby.empty ? begins : ruby.empty + perhaps;
    if (isIndented(bytes[start])) return ruby.frames;
    return state === ruby.frames && rubyFrame.test(head(bytes, start, end)) ? ruby.frames : begins;
  },
};

// Python: a traceback, its frames, the exception; perhaps how the next one came of it, between empty lines.
const python = { plain: 0, trace: 1, done: 2, empty: 3, chain: 4, chainEmpty: 5 } as const;
const traceback = words('Traceback (most recent call last):');
const frame = words('  File "');
const group = words('  + Exception Group Traceback');
const chained = words('During handling of the above exception', 'The above exception was the direct cause');

const pythonLanguage: Language = {
  begin(bytes, start, end) {
    const first = end > start ? bytes[start] : 0;
    // A record that was too long goes on with a frame.
    if (first === 0x54) return beginsWithAny(bytes, start, end, traceback) ? python.trace : python.plain;
    return first === space && beginsWithAny(bytes, start, end, frame) ? python.trace : python.plain;
  },
  next(state, bytes, start, end) {
    if (isEmpty(bytes, start, end)) {
      if (state === python.done) return python.empty + perhaps;
      return state === python.chain ? python.chainEmpty + perhaps : begins;
    }
    if (isIndented(bytes[start])) {
      if (state >= python.empty || beginsWithAny(bytes, start, end, group)) return begins;
      return state;
    }
    switch (state) {
      case python.trace:
        return python.done;
      case python.done:
      case python.empty:
        return beginsWithAny(bytes, start, end, chained) ? python.chain + perhaps : begins;
      case python.chain:
      case python.chainEmpty:
        return beginsWithAny(bytes, start, end, traceback) ? python.trace : begins;
      default:
        return begins;
    }
  },
};

// Go: the panic, perhaps the signal, then a block for each goroutine with an empty line before it.
const go = { plain: 0, panic: 1, dump: 2, empty: 3 } as const;
const panics = words('panic: ', 'fatal error: ', 'SIGQUIT: ', 'SIGABRT: ', 'SIGSEGV: ', 'runtime: ');
const goroutine = words('goroutine ');
const signals = words(
  '[signal ',
  'PC=',
  'panic: ',
  'fatal error: ',
  'runtime stack:',
  'runtime: ',
  '[originating from ',
);
const inDump = words('created by ', 'exit status ', '...additional frames elided', 'runtime stack:');

const goLanguage: Language = {
  begin(bytes, start, end) {
    if (beginsWithAny(bytes, start, end, panics)) return go.panic;
    // A record that was too long goes on with a goroutine or a place in a file.
    return bytes[start] === tab || beginsWithAny(bytes, start, end, goroutine) ? go.dump : go.plain;
  },
  next(state, bytes, start, end) {
    if (isEmpty(bytes, start, end)) return state === go.panic || state === go.dump ? go.empty + perhaps : begins;
    if (isIndented(bytes[start])) return state === go.empty ? begins : state;
    if (beginsWithAny(bytes, start, end, goroutine)) return go.dump;
    if ((state === go.panic || state === go.empty) && beginsWithAny(bytes, start, end, signals)) return go.panic;
    if (state === go.panic || state === go.plain) return begins;
    const inside = beginsWithAny(bytes, start, end, inDump) || isRegister(bytes, start, end);
    return inside || (state === go.dump && isCall(bytes, start, end)) ? go.dump : begins;
  },
};

/** net/http.(*conn).serve(0xc000, {0x1, 0x2}): no space before its first bracket, and one at its end. */
function isCall(bytes: Buffer, start: number, end: number): boolean {
  const last = bytes[end - 1] === returns ? end - 2 : end - 1;
  if (bytes[last] !== closing) return false;
  for (let at = start; at < end && bytes[at] !== space; at++) if (bytes[at] === opening) return true;
  return false;
}

/** rax    0x0 */
const isRegister = (bytes: Buffer, start: number, end: number) =>
  /^[a-z][a-z\d]{1,5} +0x[\da-f]+\r?$/.test(head(bytes, start, end));

/** As much of a line as it takes to tell what it is. */
const head = (bytes: Buffer, start: number, end: number) => bytes.toString('utf8', start, Math.min(end, start + 1000));

/** A record goes from each line that matches to the next one that does. Patterns see the first 1,000 bytes of a line. */
export function startingWith(pattern: string): Language {
  const match = linearPattern(pattern);
  return { begin: () => 0, next: (_state, bytes, start, end) => (match(head(bytes, start, end)) ? begins : 0) };
}

/** A line that matches belongs to the record before it. */
export function continuedBy(pattern: string): Language {
  const match = linearPattern(pattern);
  return { begin: () => 0, next: (_state, bytes, start, end) => (match(head(bytes, start, end)) ? 0 : begins) };
}

export const languages = { java, python: pythonLanguage, go: goLanguage, ruby: rubyLanguage, dotnet } satisfies Record<
  string,
  Language
>;
