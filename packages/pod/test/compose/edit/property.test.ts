// The laws of an edit, over manifests that were written in any way, and over any text.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AddedItem, Addition } from '../../../src/compose/addition.ts';
import { addTo, takeFrom } from '../../../src/compose/edit/edit.ts';
import { EditError } from '../../../src/compose/edit/error.ts';
import { parseSource } from '../../../src/manifest/source.ts';
import { applied } from './apply.ts';
import { type Choose, chooser, manifestText } from './manifest-text.ts';

const runs = Number(process.env.RUNS ?? 150);
const seed = process.env.SEED ? Number(process.env.SEED) : Date.now() % 2 ** 31;

type Named = { readonly name?: string; readonly mountPath?: string };
type Pod = { readonly spec?: Readonly<Record<string, Named[] | undefined>> };

const strings = [
  'plain',
  'a: b',
  '--x=1,2',
  'on',
  '0644',
  '1e3',
  '~',
  '1:30',
  ' a',
  'a #b',
  'a\nb\n',
  '  x\ny',
  'l\n\n',
  '"',
  "it's",
  '{"a":[1]}',
  'é\u2028',
  '',
];

function additionsFor(pod: Pod, choose: Choose): Addition[] {
  const where = (items: readonly Named[] | undefined): AddedItem['at'] => {
    const names = (items ?? []).flatMap(({ name, mountPath }) => mountPath ?? name ?? []);
    return choose.of<AddedItem['at']>('start', 'end', ...names.map((after) => ({ after })));
  };
  const value = () =>
    choose.of<unknown>(true, 7, [], {}, ['a', 'b'], { c: [{ d: choose.of(...strings) }] }, ...strings);
  const item = (list: string, name: string): Addition => ({
    list: ['spec', list],
    key: 'name',
    item: { name, value: value(), ...(choose.chance(3) && { more: { a: value(), b: value() } }) },
    at: where(pod.spec?.[list]),
  });
  const app = (pod.spec?.containers as (Named & { volumeMounts?: Named[] })[] | undefined)?.find(
    ({ name }) => name === 'app',
  );
  const mount = (mountPath: string): Addition => ({
    list: ['spec', 'containers', { name: 'app' }, 'volumeMounts'],
    key: 'mountPath',
    item: { name: 'state', mountPath },
    at: where(app?.volumeMounts),
  });
  const all: Addition[] = [
    { map: ['spec'], field: 'shareProcessNamespace', value: true },
    { map: ['spec'], field: 'text', value: value() },
    item('initContainers', 'proxy'),
    item('initContainers', 'shipper'),
    { list: ['spec', 'initContainers', { name: 'shipper' }, 'args'], key: 'name', item: { name: 'x' }, at: 'start' },
    item('containers', 'ship'),
    item('volumes', 'state'),
    item('volumes', 'logs'),
    mount('/state'),
    mount('/lo]gs "x"'),
    { map: ['metadata', 'annotations'], field: 'outrigger.dev/composed', value: choose.of(...strings) },
    { map: ['metadata', 'annotations'], field: 'b c', value: choose.of(...strings) },
    { map: ['spec', 'made', 'by', 'compose'], field: 'x', value: value() },
  ];
  const some = all.filter(() => choose.chance(2));
  return some.filter(
    (addition) =>
      !JSON.stringify(addition).includes('"args"') ||
      some.some((each) => JSON.stringify(each).includes('"name":"shipper","value')),
  );
}

/** What can not be done by additions alone. */
const refusals = /no line break at its end|null on a line of its own|in braces has no value|field without a value/;

function isSubsequence(text: string, of: string): boolean {
  let at = 0;
  for (let index = 0; index < of.length; index++) if (of[index] === text[at]) at++;
  return at === text.length;
}

test('what is added is there, nothing else is changed, and it is taken out without a trace', () => {
  let done = 0;
  let refused = 0;
  fc.assert(
    fc.property(fc.gen(), (g) => {
      const choose = chooser(g);
      const { text, index } = manifestText(choose);
      const source = parseSource('generated', text);
      fc.pre(source.problems.length === 0 && source.documents[index] !== undefined);
      const value = source.documents[index]!.value;
      const additions = additionsFor(value as Pod, choose);
      let result: ReturnType<typeof addTo>;
      try {
        result = addTo(text, index, additions);
      } catch (error) {
        if (!(error instanceof EditError) || !refusals.test(error.message)) throw error;
        refused++;
        return;
      }
      done++;
      const after = parseSource('added', result.text);
      expect(after.problems, result.text).toEqual([]);
      expect(after.documents[index]!.value, result.text).toEqual(parsed(applied(value, additions)));
      const others = (all: typeof after) => all.documents.filter((_, each) => each !== index).map((each) => each.value);
      expect(others(after)).toEqual(others(source));
      if (!result.added.some((place) => place.includes('(was'))) expect(isSubsequence(text, result.text)).toBe(true);
      expect(takeFrom(result.text, index, result.added)).toEqual({ text, missing: [] });

      const cut = choose.upTo(additions.length);
      const first = addTo(text, index, additions.slice(0, cut));
      const second = addTo(first.text, index, additions.slice(cut));
      expect(takeFrom(second.text, index, [...first.added, ...second.added])).toEqual({ text, missing: [] });
      expect(takeFrom(second.text, index, second.added)).toEqual({ text: first.text, missing: [] });
    }),
    { numRuns: runs, seed },
  );
  expect(refused).toBeLessThan(done / 5);
});

const bits = [
  '\n',
  ' ',
  '  ',
  '- ',
  '#',
  ' # x',
  ': ',
  '|',
  '>',
  '|+\n',
  '\t',
  '\r',
  '\r\n',
  '{',
  '}',
  '[',
  ']',
  ',',
  '&a ',
  '*a',
  '<<: *a',
  '? ',
  '"',
  "'",
  '!!map ',
  '!!omap ',
  '!t ',
  '---\n',
  '...\n',
  '\u2028',
  '\u0085',
  '\uFEFF',
  '\\',
  'null',
  '~',
  '%',
  '@',
  '\0',
] as const;

test('any text is edited by the same laws, or refused', () => {
  fc.assert(
    fc.property(fc.gen(), (g) => {
      const choose = chooser(g);
      const { text: generated, index } = manifestText(choose);
      const at = choose.upTo(generated.length);
      const text = generated.slice(0, at) + choose.of(...bits) + generated.slice(at + choose.upTo(2));
      const addition: Addition = choose.of<Addition>(
        { map: ['spec'], field: 'new', value: choose.of(...strings) },
        {
          list: ['spec', 'containers'],
          key: 'name',
          item: { name: 'new' },
          at: choose.of<AddedItem['at']>('start', 'end', { after: 'app' }),
        },
        {
          list: ['spec', 'containers', { name: 'app' }, 'volumeMounts'],
          key: 'mountPath',
          item: { name: 'n', mountPath: '/new' },
          at: 'start',
        },
      );
      const result = orEditError(() => addTo(text, index, [addition]));
      if (!result) return;
      expect(takeFrom(result.text, index, result.added)).toEqual({ text, missing: [] });
      const value = parsedOrNothing(text)?.documents[index]?.value;
      if (value)
        expect(parsedOrNothing(result.text)?.documents[index]?.value).toEqual(parsed(applied(value, [addition])));
    }),
    { numRuns: 2 * runs, seed },
  );
});

function orEditError<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    expect(error).toBeInstanceOf(EditError);
    return undefined;
  }
}

/** Where a merge key merges what is no map, the library throws when it makes plain values. */
function parsedOrNothing(text: string): ReturnType<typeof parseSource> | undefined {
  try {
    return parseSource('any', text);
  } catch (error) {
    expect((error as Error).message).toMatch(/^Merge sources/);
    return undefined;
  }
}

/** As Kubernetes: without nulls. */
const parsed = (value: unknown) => JSON.parse(JSON.stringify(value));
