// Many streams, each with many changes, until so many cases are done. A failure says the octets and the seed.

import fc from 'fast-check';
import { wrongWithRequests } from './agree.ts';
import { type Change, change, changed, cutsOf, requests, responses } from './grammar.ts';
import { wrongWithResponses } from './responses.ts';

const perStream = 16;
const changes = fc.array(fc.array(change, { minLength: 1, maxLength: 3 }), {
  minLength: perStream,
  maxLength: perStream,
});

export type Campaign = { readonly cases: number; readonly seed: number };

export const freshSeed = () => Math.floor(Math.random() * 2 ** 31);

/** A small limit now and then, so that streams exceed it. */
const headLimits = [32_768, 32_768, 32_768, 200];

export function fuzzRequests(campaign: Campaign): number {
  return run(requests, campaign, (octets, seed) =>
    wrongWithRequests(octets, cutsOf(octets.length, seed), headLimits[seed % headLimits.length]!),
  );
}

export function fuzzResponses(campaign: Campaign): number {
  return run(responses, campaign, (octets, seed) => wrongWithResponses(octets, cutsOf(octets.length, seed)));
}

/** Throws at the first case that is wrong, shrunk; returns how many there were. */
function run(
  streams: fc.Arbitrary<string>,
  { cases, seed }: Campaign,
  wrongWith: (octets: Buffer, seed: number) => string | undefined,
): number {
  process.stdout.write(`fuzz: seed ${seed}\n`);
  let done = 0;
  const property = fc.property(streams, changes, fc.nat(), (stream, variants: Change[][], salt) => {
    for (const [index, variant] of [[], ...variants].entries()) {
      const octets = Buffer.from(variant.reduce(changed, stream), 'latin1');
      const wrong = wrongWith(octets, salt + index);
      done++;
      if (wrong) throw new Error(`${wrong}\n${JSON.stringify(octets.toString('latin1'))}`);
    }
  });
  fc.assert(property, { seed, numRuns: Math.ceil(cases / (perStream + 1)) });
  return done;
}
