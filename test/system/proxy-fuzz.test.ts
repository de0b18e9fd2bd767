// A million streams of octets, read by the proxy and by llhttp: never more lenient, and the same however they are cut.

import { expect, test } from 'vitest';
import { freshSeed, fuzzRequests, fuzzResponses } from '../../packages/proxy/test/fuzz/campaign.ts';

const cases = 1_000_000;
const minutes = (count: number) => count * 60_000;

test('a million streams of requests', { timeout: minutes(10) }, () => {
  expect(fuzzRequests({ cases, seed: freshSeed() })).toBeGreaterThanOrEqual(cases);
});

test('a quarter as many of responses', { timeout: minutes(5) }, () => {
  expect(fuzzResponses({ cases: cases / 4, seed: freshSeed() })).toBeGreaterThanOrEqual(cases / 4);
});
