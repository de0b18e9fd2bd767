// Never more lenient than llhttp, and the same however the octets are cut. The system test does this a million times.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dial } from '../raw.ts';
import { wrongWithRequests } from './agree.ts';
import { freshSeed, fuzzRequests, fuzzResponses } from './campaign.ts';
import { change, changed, cutsOf, requests } from './grammar.ts';
import { llhttpRequests } from './llhttp.ts';
import { ownRequests } from './ours.ts';
import { regressions } from './regressions.ts';

const cases = 20_000;

test.each(regressions)('$name: $refused', ({ octets: text, refused }) => {
  const octets = Buffer.from(text, 'latin1');
  expect(ownRequests(octets, [], 32_768).error).toBe(refused);
  for (let seed = 0; seed < 16; seed++)
    expect(wrongWithRequests(octets, cutsOf(octets.length, seed), 32_768)).toBeUndefined();
});

test('whatever requests are accepted, llhttp accepts and reads the same', () => {
  expect(fuzzRequests({ cases, seed: freshSeed() })).toBeGreaterThanOrEqual(cases);
});

test('whatever responses are relayed, llhttp reads the same before and after', () => {
  expect(fuzzResponses({ cases, seed: freshSeed() })).toBeGreaterThanOrEqual(cases);
});

test('a fair share of the cases is accepted, some with bodies', () => {
  const streams = fc.sample(requests, { seed: freshSeed(), numRuns: 500 });
  const verdicts = streams.map((stream) => ownRequests(Buffer.from(stream, 'latin1'), [], 32_768));
  expect(verdicts.filter(({ error }) => error === undefined).length).toBeGreaterThan(100);
  const messages = verdicts.flatMap(({ messages }) => messages);
  expect(messages.filter(({ body, done }) => done && body !== '').length).toBeGreaterThan(50);
});

test('llhttp as it is driven here says what a server of node:http says', async () => {
  const heard: string[] = [];
  const server = createServer({ requireHostHeader: false }, (request, response) => {
    heard.push(`${request.method} ${request.url} ${JSON.stringify(request.rawHeaders)}`);
    response.end();
  }).on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  let compared = 0;
  const pick = fc.tuple(requests, fc.array(change, { maxLength: 2 }));
  for (const [stream, changes] of fc.sample(pick, { seed: freshSeed(), numRuns: 400 })) {
    const octets = Buffer.from(changes.reduce(changed, stream), 'latin1');
    const { messages, error } = llhttpRequests(octets);
    // The server has an ending of its own for a connection that was to be used for something else.
    if (messages.some(({ method, fields }) => method === 'CONNECT' || fields.some((name) => /^upgrade$/i.test(name))))
      continue;
    compared++;
    heard.length = 0;
    using client = await dial(port);
    client.send(octets).socket.end();
    const answer = await client.untilEnd();
    const shown = JSON.stringify(octets.toString('latin1'));
    const expected = messages.map(({ method, target, fields }) => `${method} ${target} ${JSON.stringify(fields)}`);
    expect([shown, heard]).toEqual([shown, expected.slice(0, heard.length)]);
    if (error === undefined) expect([shown, heard.length]).toEqual([shown, expected.length]);
    else if (messages.length === 0) expect([shown, answer]).toEqual([shown, expect.stringMatching(/^HTTP\/1\.1 4/)]);
  }
  expect(compared).toBeGreaterThan(50);
  server.closeAllConnections();
  server.close();
});
