// --help of a sidecar whose parameters choose members of families.

import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { family, integer, text } from '../../src/index.ts';
import { renderHelp, renderWordHelp } from '../../src/parameters/help.ts';
import { startPeer } from '../../src/testing/start-peer.ts';

const sample = fileURLToPath(new URL('../fixtures/sample.ts', import.meta.url));

const sinks = {
  none: { summary: 'Nowhere', parameters: {} },
  loki: { summary: 'Grafana Loki', parameters: { url: text({ help: 'Where it is' }) } },
  file: { summary: 'A file', parameters: { keep: integer({ default: '5', help: 'How many' }) } },
};
const parsers = { json: { summary: 'JSON', parameters: { depth: integer({ default: '9', help: 'How deep' }) } } };

const parameters = {
  sink: family(sinks, { default: ['none'], repeatable: true, help: 'Where to' }),
  parser: family(parsers, { default: ['json'], repeatable: false, help: 'What it is' }),
  limit: integer({ default: '1', help: 'Limit' }),
};
const any = { name: 'any', summary: 'Does anything' };

test('what only members read stands under each, behind what everybody reads', () => {
  expect(renderHelp(any, parameters, {})).toMatch(/^Usage: any \[parameters\]\n\nDoes anything\.\n\nParameters:\n/);
  expect(renderWordHelp('any word', { ...any, parameters })).toBe(`Usage: any word [parameters]

Does anything.

Parameters:
  --sink <none|loki|file>        Where to (default none; repeatable)
  --parser <json>                What it is (default json)
  --limit <integer>              Limit (default 1)

Print and exit:
  --help                         Print this

--sink, any of:
  none                           Nowhere
  loki                           Grafana Loki
  file                           A file

--sink loki:
  --sink-loki-url <text>         Where it is (required with loki)

--sink file:
  --sink-file-keep <integer>     How many (default 5)

--parser, one of:
  json                           JSON

--parser json:
  --parser-json-depth <integer>  How deep (default 9)

To list the parameters of what you choose alone: any word --sink loki --help.
`);
});

test('a flag that chooses members leaves out all others; defaults of other families are in force, and stay', () => {
  const given = { sink: { value: ['loki'], source: '--sink' }, parser: { value: 'json', source: 'default' } };
  const help = renderHelp(any, parameters, {}, given);
  for (const shown of ['--limit', '--sink-loki-url', '--parser-json-depth', 'any --help lists all'])
    expect(help).toContain(shown);
  for (const hidden of ['--sink-file-keep', 'A file']) expect(help).not.toContain(hidden);
  // What the environment says is what a Pod is given: --help alone is whole.
  const elsewhere = { ...given, sink: { value: ['loki'], source: 'OUTRIGGER_SINK' } };
  expect(renderHelp(any, parameters, {}, elsewhere)).toBe(renderHelp(any, parameters, {}));
  const unknown = { ...given, sink: { value: ['lok'], source: '--sink' } };
  expect(renderHelp(any, parameters, {}, unknown)).toBe(renderHelp(any, parameters, {}));
});

test('the program goes by its command line', async () => {
  const help = async (...args: readonly string[]) => {
    await using peer = await startPeer(process.execPath, [sample, ...args, '--help']);
    expect((await peer.exited).code).toBe(0);
    return peer.stdout;
  };
  expect(await help()).toMatch(/^--colour rgb:\n {2}--colour-rgb-red <integer> /m);
  expect(await help('--colour', 'plain')).not.toContain('--colour-rgb-red');
  expect(await help('--colour', 'rgb')).toContain('--colour-rgb-red');
});
