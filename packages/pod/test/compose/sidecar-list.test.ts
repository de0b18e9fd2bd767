// Lists of sidecars, right and wrong. Each of cases/sidecars has beside it what is found. UPDATE=1 writes it anew.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { formatFinding } from '../../src/check/format.ts';
import { renderListSchema } from '../../src/compose/list-schema.ts';
import { readList } from '../../src/compose/sidecar-list.ts';

const directory = fileURLToPath(new URL('../cases/sidecars/', import.meta.url));

test.for(readdirSync(directory).filter((name) => name.endsWith('.yaml')))('%s', async (name) => {
  const { findings, sidecars } = await readList(name, readFileSync(directory + name, 'utf8'));
  const lines = [
    ...findings.map(formatFinding),
    ...sidecars.map((each) => JSON.stringify({ name: each.name, role: each.role, image: each.image, args: each.args })),
  ];
  const text = lines.map((line) => `${line}\n`).join('');
  const golden = directory + name.replace(/yaml$/, 'txt');
  if (process.env.UPDATE) writeFileSync(golden, text);
  expect(text).toBe(readFileSync(golden, 'utf8'));
});

test('the committed schema is what the declaration says (npx pnpm@12 generate)', () => {
  const committed = readFileSync(new URL('../../sidecars.schema.json', import.meta.url), 'utf8');
  expect(`${JSON.stringify(renderListSchema(), null, 2)}\n`).toBe(committed);
});
