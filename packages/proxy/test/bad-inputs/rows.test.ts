// The list of bad inputs: which row is tested where. A row is a number in the data of test/cases, or named in a test.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { badAnswers } from '../cases/answers.ts';
import { badBodies } from '../cases/bodies.ts';
import { hostile } from '../cases/heads.ts';
import { tolerated } from '../cases/tolerated.ts';

/** Rows whose tests live with their subject: the file and the start of a test's name, or of a group's. */
const elsewhere: readonly (readonly [row: number, file: string, test: string])[] = [
  [22, 'routes/router.test.ts', 'no spelling passes the rule that denies /admin'],
  [22, 'routes/proxy.test.ts', '%s is refused, and no application hears of it'],
  [39, 'tcp/proxy-header-reader.test.ts', '%s closes the connection without an answer'],
  [39, 'tcp/proxy-header-reader.test.ts', 'one that does not come, or drips in, is waited for so long and no longer'],
  [40, 'tls/sidecar.test.ts', 'where certificates are required, one that is no good is hung up on'],
  [40, 'tls/sidecar.test.ts', 'where they are optional, one that is no good is answered with 403'],
  [40, 'tls/allow.test.ts', 'with a list of URIs a certificate has exactly one'],
  [42, 'pool.test.ts', 'octets on an idle connection reach nobody, and it is closed'],
  [43, 'pool.test.ts', 'a POST that ran into a closing connection is not sent twice'],
  [47, 'http2/request.test.ts', 'a stream is reset for'],
  [48, 'http2/flood.test.ts', 'a connection is closed for'],
];

const here = ['requests', 'application', 'clients'].map((name) => read(`bad-inputs/${name}.test.ts`)).join('');
const rowsOfData = [...hostile, ...badBodies, ...badAnswers, ...tolerated].map(({ row }) => row);

function read(file: string): string {
  return readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
}

test('every row is tested', () => {
  const named = [...here.matchAll(/row (\d+):/g)].map(([, row]) => Number(row));
  const tested = new Set([...rowsOfData, ...named, ...elsewhere.map(([row]) => row)]);
  expect(Array.from({ length: 50 }, (_, i) => i + 1).filter((row) => !tested.has(row))).toEqual([]);
});

test.each(elsewhere)('row %s is tested with its subject, in %s', (_, file, name) => {
  expect(read(file)).toContain(`'${name}`);
});
