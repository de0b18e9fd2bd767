// Whether a text is what Prometheus reads: the exposition format 0.0.4, or OpenMetrics 1.0.

const name = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const label = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const number = '(?:[+-]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:[eE][+-]?\\d+)?|NaN|[+-]?Inf)';
const sample = new RegExp(
  `^(${name})(\\{(?:${label}(?:,${label})*,?)?\\})? (${number})(?: -?\\d+(?:\\.\\d+)?)?(?: # .*)?$`,
);
const comment = new RegExp(`^# (HELP|TYPE|UNIT) (${name})(?: (.*))?$`);
const types = ['counter', 'gauge', 'histogram', 'summary', 'untyped', 'unknown', 'info', 'stateset', 'gaugehistogram'];
const suffixes = /_(?:total|bucket|sum|count|created|info)$/;

/** The first problem, with its line, or undefined. */
export function metricProblem(text: string, { open = false }: { readonly open?: boolean } = {}): string | undefined {
  if (!text.endsWith('\n')) return 'the last line has no end';
  const lines = text.slice(0, -1).split('\n');
  if (open && lines.pop() !== '# EOF') return 'the last line is not # EOF';
  const families = new Map<string, string>();
  const series = new Set<string>();
  for (const [index, line] of lines.entries()) {
    const problem = line.startsWith('#')
      ? commentProblem(line, families)
      : sampleProblem(line, { families, series, open });
    if (problem) return `line ${index + 1}, ${JSON.stringify(line.slice(0, 120))}: ${problem}`;
  }
  return undefined;
}

function commentProblem(line: string, families: Map<string, string>): string | undefined {
  if (line === '# EOF') return '# EOF before the end';
  const [, kind, family = '', value = ''] = comment.exec(line) ?? [];
  // Any other comment is allowed and means nothing.
  if (kind !== 'TYPE') return undefined;
  if (!types.includes(value)) return `"${value}" is no type`;
  if (families.has(family)) return 'a second TYPE of this name';
  families.set(family, value);
  return undefined;
}

type Seen = { readonly families: ReadonlyMap<string, string>; readonly series: Set<string>; readonly open: boolean };

function sampleProblem(line: string, { families, series, open }: Seen): string | undefined {
  if (line === '') return open ? 'an empty line' : undefined;
  const [, metric = '', labels = ''] = sample.exec(line) ?? [];
  if (metric === '') return 'not a sample';
  const key = metric + labels;
  if (series.has(key)) return 'the same series a second time';
  series.add(key);
  const family = families.has(metric) ? metric : metric.replace(suffixes, '');
  if (!families.has(family)) return 'a sample before its TYPE';
  if (open && families.get(family) === 'counter' && !/_(?:total|created)$/.test(metric))
    return 'a sample of a counter whose name does not end with _total';
  return undefined;
}
