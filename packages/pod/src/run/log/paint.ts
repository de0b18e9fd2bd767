// Colours, or none.

export type Paint = {
  /** A container's own colour. */
  name(index: number, text: string): string;
  level(level: string, text: string): string;
  dim(text: string): string;
  bold(text: string): string;
};

// Those that can be read on a light and on a dark ground.
const names = [36, 33, 35, 32, 34, 96, 93, 95, 92, 94];
const levels: Readonly<Record<string, number>> = { warn: 33, error: 31, fatal: 31, debug: 2, trace: 2 };

export function paint(colours: boolean): Paint {
  const sgr = (code: number | undefined, text: string) => (colours && code ? `\u001b[${code}m${text}\u001b[0m` : text);
  return {
    name: (index, text) => sgr(names[index % names.length], text),
    level: (level, text) => sgr(levels[level], text),
    dim: (text) => sgr(2, text),
    bold: (text) => sgr(1, text),
  };
}

/** https://no-color.org, and only where a person looks. */
export const wantsColours = (isTerminal: boolean, env: NodeJS.ProcessEnv) =>
  isTerminal && !env.NO_COLOR && env.TERM !== 'dumb';
