// JUnit's XML, which every CI shows.

import type { Result } from '../run-rules.ts';
import { countsOf, linkOf } from './summary.ts';

export function renderJunit(results: readonly Result[]): string {
  const { failed, skipped } = countsOf(results);
  const time = seconds(results.reduce((sum, { milliseconds }) => sum + milliseconds, 0));
  const counts = `tests="${results.length}" failures="${failed}" skipped="${skipped}" time="${time}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${counts}>
  <testsuite name="outrigger conformance" ${counts}>
${results.map(renderCase).join('\n')}
  </testsuite>
</testsuites>
`;
}

function renderCase(result: Result): string {
  const { rule, milliseconds, outcome } = result;
  const group = rule.id.slice(0, rule.id.indexOf('/'));
  const open = `    <testcase classname="${group}" name="${quote(rule.id)}" time="${seconds(milliseconds)}"`;
  if (outcome === 'passed') return `${open}/>`;
  if (outcome === 'skipped') return `${open}><skipped message="${quote(result.reason)}"/></testcase>`;
  const { expected, seen, said } = result;
  const text = [`expected: ${expected}`, `seen: ${seen}`, `matters: ${rule.reason}`, `read: ${linkOf(rule)}`, ...said];
  const message = `${rule.title}: ${expected}; seen: ${seen}`;
  return `${open}>
      <failure type="${rule.severity}" message="${quote(message)}">${quote(text.join('\n'))}</failure>
    </testcase>`;
}

const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(3);

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
};

/** What XML 1.0 cannot hold at all is left out. */
const quote = (text: string) =>
  text
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '')
    .replace(/[&<>"\n]/g, (character) => entities[character]!);
