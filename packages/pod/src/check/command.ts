// outrigger check

import { readSource, type Source } from '../manifest/source.ts';
import { check, errorsOf } from './check.ts';
import { formatFinding, summaryOf } from './format.ts';

/** Returns the exit code. */
export async function printFindings(file: string, { json }: { json: boolean }): Promise<number> {
  const source = openSource(file);
  if (typeof source === 'string') return complain(source);
  const checked = await check(source);
  const { findings } = checked;
  if (json) process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  else if (findings.length === 0) process.stdout.write(`${file}: all is right\n`);
  else process.stdout.write(`${[...findings.map(formatFinding), summaryOf(findings)].join('\n')}\n`);
  return errorsOf(checked).length > 0 ? 64 : 0;
}

/** Why it cannot be read, as a string. */
function openSource(file: string): Source | string {
  try {
    return readSource(file);
  } catch (error) {
    return `${file}: ${reasonFor(error)}`;
  }
}

/** Why a file cannot be read. */
export function reasonFor(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'no such file',
    EACCES: 'no permission to read it',
    EISDIR: 'is a directory',
  };
  return reasons[code ?? ''] ?? message;
}

function complain(text: string): number {
  process.stderr.write(`${text}\n`);
  return 64;
}
