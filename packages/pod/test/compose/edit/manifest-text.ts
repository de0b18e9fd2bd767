// Manifests as anyone may have written them: every style, indentation, comment and line break that YAML lets one choose.

import fc from 'fast-check';

export type Choose = {
  of<T>(...options: readonly T[]): T;
  chance(oneIn: number): boolean;
  upTo(max: number): number;
};

export const chooser = (g: fc.GeneratorValue): Choose => ({
  of: <T>(...options: readonly T[]) => options[g(fc.nat, { max: options.length - 1 })]!,
  chance: (oneIn) => g(fc.nat, { max: oneIn - 1 }) === oneIn - 1,
  upTo: (max) => g(fc.nat, { max }),
});

export type Plain = null | boolean | number | string | Plain[] | { [field: string]: Plain };

const words = [
  'app',
  'a b c',
  'x: y',
  'yes',
  '0644',
  '8080',
  ' lead',
  'it\'s "it"',
  '#no',
  'é─\u2028',
  '',
  '- a',
  '~',
  '/x',
];
const texts = ['a\nb\n', 'a\n\n  b', 'one\n\n', '#!/bin/sh\necho a: b # c\n', 'x\n\n\ny\n', 'a\n \nb\n', 'tab\tin\n'];

export function workload(choose: Choose): Plain {
  const container = (name: string): Plain => ({
    name,
    ...(choose.chance(2) && { image: `${name}:1` }),
    ...(choose.chance(2) && { args: Array.from({ length: choose.upTo(2) }, () => choose.of(...words)) }),
    ...(choose.chance(3) && { env: [{ name: 'A', value: choose.of(...words, ...texts) }] }),
    ...(choose.chance(3) && { volumeMounts: listOrNothing(choose, () => ({ name: 'v', mountPath: '/v' })) }),
    ...(choose.chance(3) && { command: ['sh', '-c', choose.of(...texts)] }),
    ...(choose.chance(4) && { resources: choose.of<Plain>({}, null, { limits: { cpu: 1 } }) }),
  });
  const annotations = choose.of<Plain>(
    null,
    {},
    { a: choose.of(...words, ...texts) },
    { b: '1', 'x.y/z': choose.of(...texts) },
  );
  const spec: Record<string, Plain> = {
    ...(choose.chance(3) && { nodeSelector: choose.of<Plain>({ a: 'b' }, {}, null) }),
    ...(choose.chance(2) && { initContainers: listOrNothing(choose, () => container('setup')) }),
    containers: choose.chance(3) ? [container('app')] : [container('app'), container('other')],
    ...(choose.chance(2) && {
      volumes: listOrNothing(choose, () => ({ name: 'old', emptyDir: choose.of<Plain>({}, null) })),
    }),
    ...(choose.chance(3) && { last: choose.of<Plain>(...words, ...texts, null, [], {}, [[1, [2]], null]) }),
  };
  return {
    kind: 'Pod',
    ...(!choose.chance(3) && {
      metadata: { ...(choose.chance(2) && { name: 'x' }), ...(choose.chance(2) && { annotations }) },
    }),
    spec,
    ...(choose.chance(4) && { status: choose.of<Plain>({}, null, 'x') }),
  };
}

const listOrNothing = (choose: Choose, item: () => Plain): Plain =>
  choose.of<Plain>(null, [], [item()], [item(), { name: 'b', x: choose.of(...words) }]);

/** A file, and which of its documents is the workload. */
export function manifestText(choose: Choose): { readonly text: string; readonly index: number } {
  const value = workload(choose);
  const json = choose.chance(8);
  const body = json
    ? `${JSON.stringify(value, null, choose.of<string | number>(0, 1, 2, 4, '\t'))}\n`
    : blockText(value, choose);
  const before = choose.chance(4)
    ? choose.of('a: 1\n---\n', '# c\n---\nb: |+\n  x\n\n---  # two\n', '%YAML 1.1\n---\nx: [\n 1]\n...\n---\n')
    : choose.of('', '', '---\n', '# c\n\n--- # d\n', '%YAML 1.1\n--- # c\n');
  const after = choose.chance(4) ? choose.of('---\na: 1\n', '...\n', '... # end\n---\nb: c\n', '--- |\n text\n') : '';
  const all = (before + body + after).replaceAll('\n', choose.of('\n', '\n', '\r\n'));
  const cut = choose.chance(4) ? all.replace(/\r?\n$/, '') : all;
  return {
    text: choose.of('', '', '', '\uFEFF') + cut,
    index: /^\S.*\n/.test(before) && /^[^%]*\w: |x: /.test(before) ? 1 : 0,
  };
}

export function blockText(value: Plain, choose: Choose): string {
  const unit = choose.of(2, 2, 2, 3, 4, 8);
  const list = choose.of(0, 2, unit);
  const style = {
    choose,
    unit,
    list,
    noisy: choose.chance(2),
    flow: choose.of(4, 4, 40, 1000),
    merge: choose.chance(4),
  };
  if (choose.chance(12)) return `${flow(value, style, 2)}\n`;
  const base = style.merge ? choose.of('x: &base { tty: true }\n', 'x:\n- &base\n  tty: true\n- *base\n') : '';
  return `${noise(style, 0).join('')}${base}${block(value, 0, style)}${noise(style, 0).join('')}`;
}

type Style = {
  readonly choose: Choose;
  readonly unit: number;
  readonly list: number;
  readonly noisy: boolean;
  readonly flow: number;
  readonly merge: boolean;
};

function noise({ choose, noisy }: Style, indent: number): string[] {
  if (!noisy) return choose.chance(20) ? ['\n'] : [];
  return Array.from({ length: choose.chance(3) ? choose.upTo(2) : 0 }, () =>
    choose.of(
      '\n',
      '  \n',
      '            \n',
      '# c\n',
      `${' '.repeat(indent)}# same\n`,
      `${' '.repeat(indent + 2)}# deeper: x\n`,
      `${' '.repeat(Math.max(0, indent - 1))}# less\n`,
    ),
  );
}

const comment = ({ choose, noisy }: Style) =>
  noisy && choose.chance(4) ? choose.of(' # c', '  # d: [', ' #', '\t# t', '  ') : '';

/** Lines at the indent, each with its line break. */
function block(value: Plain, indent: number, style: Style): string {
  const { choose } = style;
  const space = ' '.repeat(indent);
  if (Array.isArray(value))
    return value
      .map((item) => {
        const gap = choose.chance(10) ? choose.upTo(3) + 1 : 1;
        const inner = indent + 1 + gap;
        return noise(style, indent).join('') + space + dashed(item, inner, gap, style);
      })
      .join('');
  const lines = Object.entries(value as object).map(
    ([key, each]) => noise(style, indent).join('') + space + keyed(key, each, indent, style),
  );
  if (style.merge && value !== null && 'name' in (value as object) && choose.chance(2))
    lines.splice(
      1 + choose.upTo(lines.length - 1),
      0,
      `${space}<<: ${choose.of('*base', '[*base]', '{ stdin: true }')}\n`,
    );
  return lines.join('');
}

const isBlock = (value: Plain): value is Plain[] | { [field: string]: Plain } =>
  typeof value === 'object' && value !== null && Object.keys(value).length > 0;

function dashed(item: Plain, inner: number, gap: number, style: Style): string {
  const { choose } = style;
  const prop = props(item, style);
  if (!isBlock(item) || choose.chance(style.flow)) return `-${' '.repeat(gap)}${prop}${inline(item, inner - 2, style)}`;
  const lines = block(item, inner, { ...style, noisy: false });
  if (prop || choose.chance(8)) return `-${prop && ' '}${prop.trimEnd()}${comment(style)}\n${lines}`;
  return `-${' '.repeat(gap)}${lines.slice(inner)}`;
}

function keyed(key: string, value: Plain, indent: number, style: Style): string {
  const { choose } = style;
  const name = choose.chance(10) ? JSON.stringify(key) : choose.chance(12) ? `'${key}'` : key;
  const colon = choose.chance(30) ? ' :' : ':';
  const prop = props(value, style);
  if (value === null) return `${name}${colon}${choose.of('', '', ' null', '   ~', ' Null')}${comment(style)}\n`;
  if (!isBlock(value) || choose.chance(style.flow)) return `${name}${colon} ${prop}${inline(value, indent, style)}`;
  const inner = indent + (Array.isArray(value) ? style.list : style.unit);
  return `${name}${colon}${prop && ' '}${prop.trimEnd()}${comment(style)}\n${block(value, inner, style)}`;
}

const props = (value: Plain, { choose }: Style) =>
  value !== null && choose.chance(25)
    ? choose.of(`&n${choose.upTo(9)} `, Array.isArray(value) ? '!!seq ' : isBlock(value) ? '!!map ' : '')
    : '';

function inline(value: Plain, indent: number, style: Style): string {
  const { choose } = style;
  if (typeof value !== 'string') return `${flow(value, style, indent + 2)}${comment(style)}\n`;
  if (value.includes('\n') && choose.chance(1) && !choose.chance(4)) return literal(value, indent + style.unit, style);
  if (/^\w+ \w+ \w+$/.test(value) && choose.chance(2))
    return `${value.replace(' ', `\n\n${' '.repeat(indent + 3)}`)}${comment(style)}\n`;
  return `${flow(value, style, indent + 2)}${comment(style)}\n`;
}

function literal(value: string, indent: number, style: Style): string {
  const { choose } = style;
  const body = value.replace(/\n+$/, '');
  const ends = value.length - body.length;
  const header = ends === 0 ? '-' : ends === 1 ? choose.of('', '', '+') : '+';
  const lines = body.split('\n').map((line) => (line === '' ? '\n' : `${' '.repeat(indent)}${line}\n`));
  const blank = header === '+' ? '\n'.repeat(ends - 1) : choose.of('', '', '\n', ' \n', '\n\n');
  const lead = choose.chance(6) && header !== '+' ? choose.of('', '# less\n') : '';
  return `${choose.chance(5) && ends === 1 && header === '' && !body.includes('\n') ? '>' : '|'}${header}${style.noisy && choose.chance(6) ? ' # c' : ''}\n${lines.join('')}${blank}${lead}`;
}

function flow(value: Plain, style: Style, indent: number): string {
  const { choose } = style;
  if (value === null) return choose.of('null', '~');
  if (typeof value === 'string') return flowScalar(value, choose);
  if (typeof value !== 'object') return String(value);
  const lines = choose.chance(5);
  const pad = lines ? `\n${' '.repeat(indent + choose.upTo(2))}` : choose.of('', '', ' ', style.noisy ? '\t' : '');
  const parts = Array.isArray(value)
    ? value.map((item) => flow(item, style, indent + 1))
    : Object.entries(value).map(
        ([key, each]) =>
          `${choose.chance(4) ? JSON.stringify(key) : flowScalar(key, choose)}: ${flow(each, style, indent + 1)}`,
      );
  const between = lines ? `,${choose.chance(8) ? ' # c' : ''}${pad}` : choose.of(', ', ', ', ',');
  const trailing = parts.length > 0 && choose.chance(10) ? ',' : '';
  const close = lines ? `${choose.chance(8) ? ' # d' : ''}\n${' '.repeat(indent)}` : pad;
  const [open, end] = Array.isArray(value) ? '[]' : '{}';
  return `${open}${pad}${parts.join(between)}${trailing}${close}${end}`;
}

const flowScalar = (text: string, choose: Choose): string =>
  /^[a-zA-Z/][\w./]*$/.test(text) && !/^yes$/.test(text) && !choose.chance(5)
    ? text
    : /[\n\t\u2028]/.test(text) || choose.chance(2)
      ? JSON.stringify(text)
      : `'${text.replaceAll("'", "''")}'`;
