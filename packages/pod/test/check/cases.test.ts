// Each manifest of cases/check has beside it what is found in it. UPDATE=1 writes what is found now.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { check } from '../../src/check/check.ts';
import { formatFinding, summaryOf } from '../../src/check/format.ts';
import { parseSource } from '../../src/manifest/source.ts';

const directory = fileURLToPath(new URL('../cases/check/', import.meta.url));
const names = readdirSync(directory).filter((name) => name.endsWith('.yaml'));

test.for(names)('%s', async (name) => {
  const checked = await check(parseSource(name, readFileSync(directory + name, 'utf8')));
  // It has a word on every container: of the others' golden files only the right one's must be free of them.
  const itsOwn = name.startsWith('pod-security') || name === 'right.yaml';
  const findings = checked.findings.filter(({ rule }) => itsOwn || rule !== 'pod-security');
  // What a parameter means is its role's to say.
  const text = `${[...findings.map(formatFinding), summaryOf(findings)].join('\n')}\n`.replaceAll(
    /is required: .*/g,
    'is required: ...',
  );
  const golden = directory + name.replace(/yaml$/, 'txt');
  if (process.env.UPDATE) writeFileSync(golden, text);
  expect(text).toBe(readFileSync(golden, 'utf8'));
});
