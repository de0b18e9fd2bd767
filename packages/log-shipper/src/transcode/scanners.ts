// Scanners to share: each holds some pages of tables, and a small chunk is not worth as much.

import { Scanner } from './scan.ts';

const scanners = new Map<string, Scanner>();
/** Whose names change with the data are few at a time. */
const most = 16;

/** One for these keys. Whoever uses it reads and writes a line in one go: the next line may be another's. */
export function scannerFor(keys: { omit: readonly string[]; watch: readonly string[] }): Scanner {
  const name = JSON.stringify([keys.omit, keys.watch]);
  const known = scanners.get(name);
  if (known) return known;
  if (scanners.size === most) scanners.clear();
  const scanner = new Scanner(keys);
  scanners.set(name, scanner);
  return scanner;
}

/** What is said of a line that was to be a JSON object. */
export function reasonOf(scanner: Scanner, outcome: string, start: number): string {
  if (outcome === 'too deep') return 'Nested more than 100 deep';
  return outcome === 'not an object' ? 'Not a JSON object' : `Not JSON at byte ${scanner.offset - start}`;
}
