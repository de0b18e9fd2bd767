// The list of bad inputs: which row is tested where. A row is a number in the data of test/cases, or named in a test.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { badAnswers } from '../cases/answers.ts';
import { badBodies } from '../cases/bodies.ts';
import { hostile } from '../cases/heads.ts';
import { tolerated } from '../cases/tolerated.ts';

/** Rows whose tests live with their subject: the file and the start of a test's name. */
const elsewhere: Readonly<Record<number, readonly [file: string, test: string]>> = {
  42: ['pool.test.ts', 'octets on an idle connection reach nobody, and it is closed'],
  43: ['pool.test.ts', 'a POST that ran into a closing connection is not sent twice'],
};

const here = ['requests', 'application', 'clients'].map((name) => read(`bad-inputs/${name}.test.ts`)).join('');
const rowsOfData = [...hostile, ...badBodies, ...badAnswers, ...tolerated].map(({ row }) => row);

function read(file: string): string {
  return readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
}

// Those of features that have rows of their own: path rules, the PROXY protocol, client certificates and HTTP/2.
const others = [22, 39, 40, 47, 48];

test('every row is tested', () => {
  const named = [...here.matchAll(/row (\d+):/g)].map(([, row]) => Number(row));
  const tested = new Set([...rowsOfData, ...named, ...Object.keys(elsewhere).map(Number), ...others]);
  expect(Array.from({ length: 50 }, (_, i) => i + 1).filter((row) => !tested.has(row))).toEqual([]);
});

test.each(Object.entries(elsewhere))('row %s is tested with its subject', (_, [file, name]) => {
  expect(read(file)).toContain(`'${name}`);
});
