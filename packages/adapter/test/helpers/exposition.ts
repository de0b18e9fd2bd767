// A strict reader of the Prometheus text format 0.0.4: whatever a lenient scraper might forgive is an error here.

export type ReadFamily = {
  readonly help: string | undefined;
  readonly type: string | undefined;
  readonly samples: { readonly name: string; readonly labels: Record<string, string>; readonly value: number }[];
};

const name = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const pair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;

export function readExposition(text: string): Map<string, ReadFamily> {
  if (!text.endsWith('\n')) throw new Error('The last line does not end');
  const families = new Map<string, ReadFamily>();
  const series = new Set<string>();
  let current: string | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue;
    const comment = new RegExp(`^# (HELP|TYPE) (${name})(?: (.*))?$`).exec(line);
    if (comment) {
      const [, kind, family, rest = ''] = comment;
      const known = families.get(family!);
      if (known && current !== family) throw new Error(`Family ${family} is not in one block`);
      if (known && (kind === 'HELP' ? known.help : known.type) !== undefined) throw new Error(`Twice: ${line}`);
      if (known && known.samples.length > 0) throw new Error(`After samples: ${line}`);
      if (kind === 'TYPE' && !/^(counter|gauge|histogram|summary|untyped)$/.test(rest)) throw new Error(line);
      if (kind === 'HELP' && /\\(?![\\n])/.test(rest.replaceAll('\\\\', ''))) throw new Error(`Escape: ${line}`);
      families.set(family!, { samples: [], help: undefined, type: undefined, ...known, [kind!.toLowerCase()]: rest });
      current = family;
    } else {
      const sample = readSample(line);
      const family = families.get(sample.name) ? sample.name : sample.name.replace(/_(bucket|sum|count)$/, '');
      if (family !== current) throw new Error(`Sample outside its family: ${line}`);
      const identity = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
      if (series.has(identity)) throw new Error(`Duplicate series: ${line}`);
      series.add(identity);
      families.get(family)!.samples.push(sample);
    }
  }
  return families;
}

function readSample(line: string): ReadFamily['samples'][number] {
  const match = new RegExp(`^(${name})(?:\\{(.*)\\})? (\\S+)$`).exec(line);
  if (!match) throw new Error(`No sample: ${line}`);
  const labels: Record<string, string> = {};
  const written = match[2] ?? '';
  for (pair.lastIndex = 0; pair.lastIndex < written.length; ) {
    const found = pair.exec(written);
    if (!found) throw new Error(`Labels: ${line}`);
    if (found[1]! in labels) throw new Error(`Label twice: ${line}`);
    labels[found[1]!] = found[2]!.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
  }
  const value = { '+Inf': Number.POSITIVE_INFINITY, '-Inf': Number.NEGATIVE_INFINITY, NaN: Number.NaN }[match[3]!];
  if (value === undefined && !/^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(match[3]!)) throw new Error(`Value: ${line}`);
  return { name: match[1]!, labels, value: value ?? Number(match[3]) };
}
