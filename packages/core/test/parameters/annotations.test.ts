import { writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { address, family, list, path, secret, text } from '../../src/index.ts';
import { parseAnnotations } from '../../src/parameters/annotations.ts';
import { readParameters } from '../../src/testing/read-parameters.ts';
import { scratch } from '../../src/testing/scratch.ts';

const sinks = { peer: { summary: 'Peer', parameters: { address: address({ help: 'Where' }) } } };
const parameters = {
  config: path({ optional: true, help: 'File' }),
  podInfoDirectory: path({ optional: true, help: 'Annotations' }),
  title: text({ default: 'none', help: 'Title' }),
  names: list(text, { default: [], help: 'Names' }),
  password: secret({ optional: true, help: 'Password' }),
  sink: family(sinks, { default: ['peer'], help: 'Sink' }),
  sinkless: text({ optional: true, help: 'No sink' }),
};

async function read(annotations: string, argv: readonly string[] = [], env: Record<string, string> = {}) {
  await using directory = await scratch();
  await writeFile(directory.join('annotations'), annotations);
  const needed = ['--sink-peer-address', '127.0.0.1:1'];
  const given = annotations.includes('sink-peer-address') ? [] : needed;
  return await readParameters(parameters, ['--pod-info-directory', directory.path, ...given, ...argv], { env });
}

/** As Go's %q writes it. */
function quote(value: string): string {
  const named: Record<string, string> = {
    '\x07': 'a',
    '\b': 'b',
    '\f': 'f',
    '\n': 'n',
    '\r': 'r',
    '\t': 't',
    '\v': 'v',
    '"': '"',
    '\\': '\\',
  };
  const escaped = [...value].map((each) => {
    const code = each.codePointAt(0)!;
    if (named[each]) return `\\${named[each]}`;
    if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
    if (/\p{C}|\p{Zl}|\p{Zp}/u.test(each))
      return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
    return each;
  });
  return `"${escaped.join('')}"`;
}

test('an annotation of this role gives a value; those of others and foreign ones are left alone', async () => {
  const { values, effective, problems } = await read(
    [
      'kubernetes.io/config.seen="2026-11-21T10:00:00Z"',
      'outrigger.dev/local.app="node app.js"',
      'outrigger.dev/other.title="not mine"',
      'outrigger.dev/sample.names="a, b"',
      'outrigger.dev/sample.sink-peer-address="10.0.0.1:5"',
      'outrigger.dev/sample.title="with \\"quotes\\" and a\\nline"',
    ].join('\n'),
  );
  expect(problems).toEqual([]);
  expect(values).toMatchObject({ title: 'with "quotes" and a\nline', names: ['a', 'b'] });
  expect(String(values.sink.parameters.address)).toBe('10.0.0.1:5');
  expect(effective.title?.source).toBe('annotation outrigger.dev/sample.title');
});

test('a wrong value is told with the annotation it came from', async () => {
  expect((await read('outrigger.dev/sample.sink-peer-address="nowhere"')).problems).toEqual([
    {
      parameter: '--sink-peer-address',
      value: 'nowhere',
      source: 'annotation outrigger.dev/sample.sink-peer-address',
      message: 'an address such as 127.0.0.1:8080 is expected',
    },
  ]);
});

test.each([
  ['titel', 'unknown; did you mean outrigger.dev/sample.title?'],
  ['password', 'a secret is not taken from an annotation, which many can read'],
  ['password-file', 'a secret is not taken from an annotation, which many can read'],
  ['config', 'is taken from --config or OUTRIGGER_CONFIG only'],
  ['pod-info-directory', 'is taken from --pod-info-directory or OUTRIGGER_POD_INFO_DIRECTORY only'],
])('outrigger.dev/sample.%s: %s', async (name, message) => {
  const parameter = `outrigger.dev/sample.${name}`;
  expect((await read(`${parameter}="hush"`)).problems).toEqual([{ parameter, message }]);
});

test('a missing or foreign file is a problem of --pod-info-directory', async () => {
  const missing = await readParameters(parameters, ['--pod-info-directory', '/nonexistent']);
  expect(missing.problems).toEqual([
    { parameter: '--pod-info-directory', value: '/nonexistent/annotations', message: 'no such file' },
  ]);
  expect((await read('a="b"\nnot like this\n')).problems).toMatchObject([
    { parameter: '--pod-info-directory', message: 'line 2 is not key="value", as the kubelet writes it' },
  ]);
});

test('whatever text is annotated comes back as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const parsed = parseAnnotations(`b/c="x"\na/b.c=${quote(value)}\nz="y"`, 'a/b.');
      expect([...parsed]).toEqual([['c', value.toWellFormed()]]);
    }),
  );
});
