import { Fault } from '@outrigger/core';
import { expect, test } from 'vitest';
import { type Job, openTranslator } from '../src/translator.ts';
import { largeDocument, largeRules } from './helpers/large.ts';
import { rulesOf } from './helpers/rules.ts';

const rules = await rulesOf(largeRules);
const job = (document: string, more: Partial<Job> = {}): Job => ({
  answer: { bytes: Buffer.from(document) },
  rules,
  seriesLimit: 100_000,
  ...more,
});
const patient = () => AbortSignal.timeout(20_000);
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: unknown) => (error instanceof Fault ? error.code : String(error)),
  );

test('a long document becomes in its thread what a short one becomes here', async () => {
  await using translator = openTranslator();
  const long = largeDocument(200_000);
  const first = await translator.translate(job(long.document), patient());
  expect(first.families[0]!.samples).toHaveLength(long.queues);
  const short = await translator.translate(job(largeDocument(1000).document), patient());
  expect(first.families[0]!.samples.slice(0, 3)).toEqual(short.families[0]!.samples.slice(0, 3));
  const other = await rulesOf(largeRules.replace('@depth', '@capacity'));
  const second = await translator.translate(job(long.document, { rules: other }), patient());
  expect(second.families[0]!.samples[0]!.value).toBe(100);
});

test('the fault of a long document is the same as that of a short one, and the thread goes on', async () => {
  await using translator = openTranslator();
  const { document } = largeDocument(200_000);
  const cut = translator.translate(job(document.slice(0, -5)), patient());
  await expect(cut).rejects.toMatchObject({
    code: 'ADAPTER_DOCUMENT_MALFORMED',
    message: expect.stringMatching(/^The document is not well-formed at \d+:\d+: an end tag is not closed$/),
  });
  expect((await translator.translate(job(document), patient())).families).toHaveLength(1);
});

test('a document that takes too long costs its thread, and the next one gets a new one', async () => {
  await using translator = openTranslator();
  // Every element is compared with every other.
  const slow = await rulesOf(largeRules.replace('path: /status/queue', 'path: //queue[//queue[//oldest = "never"]]'));
  const { document } = largeDocument(200_000);
  const from = performance.now();
  expect(await codeOf(translator.translate(job(document, { rules: slow }), AbortSignal.timeout(500)))).toBe(
    'ADAPTER_DOCUMENT_COST',
  );
  expect(performance.now() - from).toBeLessThan(5000);
  expect((await translator.translate(job(document), patient())).families).toHaveLength(1);
});

test('a deadline that has passed already is told at once', async () => {
  await using translator = openTranslator();
  const { document } = largeDocument(200_000);
  expect(await codeOf(translator.translate(job(document), AbortSignal.abort()))).toBe('ADAPTER_DOCUMENT_COST');
});

test('the series of one rule are limited, the first of the document survive', async () => {
  await using translator = openTranslator();
  const { document, queues } = largeDocument(10_000);
  const { families, reports } = await translator.translate(job(document, { seriesLimit: 5 }), patient());
  expect(families[0]!.samples.map(({ labels }) => labels.queue)).toEqual([0, 1, 2, 3, 4].map((n) => `jobs/${n}`));
  expect(reports[0]!.drops).toEqual({ too_many_series: queues - 5 });
});

test('a document that needs more memory than its thread may have costs the thread only', async () => {
  await using translator = openTranslator();
  // Within the limits of elements and attributes, yet three million attributes in all.
  const rows = `<r ${Array.from({ length: 250 }, (_, i) => `a${i}=""`).join(' ')}/>`.repeat(12_000);
  expect(await codeOf(translator.translate(job(`<status>${rows}</status>`), AbortSignal.timeout(60_000)))).toBe(
    'ADAPTER_DOCUMENT_COST',
  );
  expect((await translator.translate(job(largeDocument(200_000).document), patient())).families).toHaveLength(1);
}, 60_000);
