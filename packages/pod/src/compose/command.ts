// outrigger compose

import { check, errorsOf } from '../check/check.ts';
import { openSource } from '../check/command.ts';
import { formatFinding, summaryOf } from '../check/format.ts';
import { plainForm } from './plain.ts';
import { podmanForm } from './podman.ts';

/** Prints the manifest in a form; returns the exit code. Warnings go to stderr, so that stdout can be piped. */
export async function printForm(file: string, form: 'native' | 'plain' | 'podman'): Promise<number> {
  const source = openSource(file);
  if (typeof source === 'string') return complain([source]);
  const checked = await check(source);
  const { findings, manifest } = checked;
  if (!manifest || errorsOf(checked).length > 0) return complain([...findings.map(formatFinding), summaryOf(findings)]);
  if (form === 'native') {
    process.stdout.write(source.text);
    return 0;
  }
  const { text, notes } = form === 'plain' ? plainForm(manifest) : podmanForm(manifest, checked.parameters);
  if (notes.length > 0) process.stderr.write(`${notes.join('\n')}\n`);
  process.stdout.write(text);
  return 0;
}

function complain(lines: readonly string[]): number {
  process.stderr.write(`${lines.join('\n')}\n`);
  return 64;
}
