import { until } from '@outrigger/core/testing';

/** Until each of these lines has come at least once. */
export async function untilAll(
  lines: readonly string[],
  come: () => readonly string[],
  deadline: number,
): Promise<void> {
  const missing = () => {
    const have = new Set(come());
    return lines.filter((line) => !have.has(line));
  };
  await until(() => missing().length === 0, {
    deadline,
    what: () => `${missing().length} of ${lines.length} lines, such as ${missing()[0]}`,
  });
}
