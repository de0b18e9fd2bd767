// Golden files: each directory under cases/ holds a document, its rules and what comes of them. A new case is a new
// directory; `vitest run -u` writes its expected.txt, which is then read with care.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '@outrigger/core';
import { expect, test } from 'vitest';
import { compileRules, type Translation, translate } from '../src/translate.ts';
import { rulesOf } from './helpers/rules.ts';

const cases = fileURLToPath(new URL('cases', import.meta.url));

for (const name of readdirSync(cases)) {
  test(`the document of cases/${name} becomes what is expected`, async () => {
    const rules = await rulesOf(readFileSync(join(cases, name, 'rules.yaml'), 'utf8'));
    const bytes = readFileSync(join(cases, name, 'document.xml'));
    const shown = outcome(() => translate({ bytes }, compileRules(rules), 1000));
    await expect(shown).toMatchFileSnapshot(join(cases, name, 'expected.txt'));
  });
}

function outcome(task: () => Translation): string {
  try {
    const { families, reports, repairs } = task();
    const series = families.flatMap(({ name, type, samples }) => [
      `${name} (${type})`,
      ...samples.map(({ labels, value }) => `  ${JSON.stringify(labels)} ${value}`),
    ]);
    const drops = reports.flatMap(({ place, metric, drops, examples }) =>
      Object.entries(drops).map(([reason, count]) => {
        const example = examples[reason as keyof typeof examples];
        return `dropped ${count} of ${metric} (${place}), ${reason}: ${example}`;
      }),
    );
    return `${[...series, ...drops, ...repairs.map((repair) => `repaired ${repair}`)].join('\n')}\n`;
  } catch (error) {
    if (error instanceof Fault) return `${error.code}: ${error.message}\n`;
    throw error;
  }
}
