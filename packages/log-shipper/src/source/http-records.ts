// What a body holds: lines, or JSON objects as lines, one alone or in an array.

import type { Entry } from '../intake.ts';
import { parseObject } from '../records.ts';
import { Refused } from './http-body.ts';

/** 'text': lines as they are. 'lines': a JSON object on each line. 'json': an object or an array of them. */
export type Content = 'text' | 'lines' | 'json';

const contents: Readonly<Record<string, Content>> = {
  'text/plain': 'text',
  'application/x-ndjson': 'lines',
  'application/ndjson': 'lines',
  'application/jsonl': 'lines',
  'application/x-jsonlines': 'lines',
  'application/json': 'json',
};

export function contentOf(type: string | undefined): Content {
  const [name = '', ...parameters] = (type ?? 'text/plain')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const content = Object.hasOwn(contents, name) ? contents[name] : undefined;
  const charset = parameters
    .find((each) => each.startsWith('charset='))
    ?.slice(8)
    .replaceAll('"', '');
  if (!content || (charset !== undefined && !['utf-8', 'utf8', 'us-ascii'].includes(charset)))
    throw new Refused(415, 'CONTENT_TYPE', 'application/x-ndjson, application/json or text/plain in UTF-8 is expected');
  return content;
}

/**
 * Lines are read as they are asked for. Throws a Refused that names the first object or line that is none, or when there are
 * more than `most`.
 */
export function* entriesOf(body: Buffer, content: 'lines' | 'json', most: number): Generator<Entry> {
  let count = 0;
  for (const entry of content === 'json' ? fromJson(body, most) : fromLines(body)) {
    if (++count > most) throw tooMany(most);
    yield entry;
  }
}

/** Throws a Refused when there are more lines. */
export function checkLines(body: Buffer, most: number): void {
  for (let at = body.indexOf(newline), count = 1; at !== -1; at = body.indexOf(newline, at + 1))
    if (++count > most + 1) throw tooMany(most);
}

const tooMany = (most: number) => new Refused(413, 'TOO_MANY_RECORDS', `At most ${most} records are accepted at once`);

function* fromLines(body: Buffer): Generator<Entry> {
  for (let start = 0, number = 1; start < body.length; number++) {
    const found = body.indexOf(newline, start);
    const end = found === -1 ? body.length : found;
    const line = body.toString('utf8', start, end);
    start = end + 1;
    if (line.trim() !== '') yield { fields: objectOf(line, `Line ${number}`) };
  }
}

const newline = 0x0a;

/** One that senders call JSON and that is one object on each line is taken for what it is. */
function fromJson(body: Buffer, most: number): Iterable<Entry> {
  const text = body.toString();
  const first = text.trimStart()[0];
  if (first === '[') return fromArray(text, most);
  if (first !== '{') throw new Refused(400, 'NOT_JSON', 'A JSON object, or an array of them, is expected');
  if (!/\}\s*\n\s*\{/.test(text)) return [{ fields: objectOf(text, 'The body') }];
  try {
    return [{ fields: parseObject(text) }];
  } catch {
    return fromLines(body);
  }
}

function fromArray(text: string, most: number): Entry[] {
  // As one object, so that numbers keep their digits.
  const { all } = objectOf(`{"all":${text}}`, 'The body');
  if (!Array.isArray(all)) throw new Refused(400, 'NOT_JSON', 'A JSON object, or an array of them, is expected');
  if (all.length > most) throw tooMany(most);
  return all.map((fields: unknown, index) => {
    if (typeof fields === 'object' && fields !== null && !Array.isArray(fields) && !JSON.isRawJSON(fields))
      return { fields: fields as Entry['fields'] };
    throw new Refused(400, 'NOT_AN_OBJECT', `Element ${index + 1} is no JSON object`);
  });
}

function objectOf(text: string, name: string): Entry['fields'] {
  try {
    return parseObject(text);
  } catch (error) {
    // The parser's own words quote what it read.
    const reason = error instanceof SyntaxError ? 'no valid JSON' : 'no JSON object';
    throw new Refused(400, 'NOT_JSON', `${name} is ${reason}`);
  }
}
