// Numbers for people. No locale: the page reads the same for everybody who looks at it together.

/** Cores as percent of one: `37.5 %`. */
export const percent = (cores: number) => (cores < 0.0005 ? '0' : `${(cores * 100).toFixed(cores < 0.9995 ? 1 : 0)} %`);

export function bytes(count: number): string {
  if (count < 1024 * 1024) return count === 0 ? '0' : `${Math.max(1, Math.round(count / 1024))} KiB`;
  const mebibytes = count / 1024 / 1024;
  return mebibytes < 1023.95 ? `${mebibytes.toFixed(1)} MiB` : `${(mebibytes / 1024).toFixed(2)} GiB`;
}

const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
] as const;

/** `8 s`, `5 min`, `3 h 20 min`, `2 d 4 h`: two units at most. */
export function age(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const first = units.findIndex(([, length]) => whole >= length);
  if (first < 0) return `${whole} s`;
  const [unit, length] = units[first]!;
  const [smaller, smallerLength] = units[first + 1] ?? ['s', 1];
  const rest = Math.floor((whole % length) / smallerLength);
  const head = `${Math.floor(whole / length)} ${unit}`;
  return rest > 0 && unit !== 'min' ? `${head} ${rest} ${smaller}` : head;
}
