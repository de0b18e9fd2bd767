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
  const { findings } = await check(parseSource(name, readFileSync(directory + name, 'utf8')));
  // What a parameter means is its role's to say.
  const text = `${[...findings.map(formatFinding), summaryOf(findings)].join('\n')}\n`.replaceAll(
    /is required: .*/g,
    'is required: ...',
  );
  const golden = directory + name.replace(/yaml$/, 'txt');
  if (process.env.UPDATE) writeFileSync(golden, text);
  expect(text).toBe(readFileSync(golden, 'utf8'));
});
