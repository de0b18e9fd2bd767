// An HTTP endpoint of one's own. Anything from 200 to 299 acknowledges a batch, whatever is said with it.
//
// | of a record   | ndjson, json                      | lines        |
// | ------------- | --------------------------------- | ------------ |
// | line          | the field of --line-field         | the line     |
// | fields        | by their names                    | -            |
// | time          | the field that is named, if any   | -            |
// | level         | the field that is named, if any   | -            |
// | id            | the field that is named, if any   | -            |

import { validateHeaderName, validateHeaderValue } from 'node:http';
import { choice, map, ParameterProblem, reasonOf, secret, text, url } from '@outrigger/core';
import type { Batch } from '../batch.ts';
import type { Encoding } from '../encoding/encoding.ts';
import { type JsonNames, jsonRecord } from '../encoding/json.ts';
import { withinArray } from '../encoding/json-array.ts';
import { line } from '../encoding/line.ts';
import { authorization, checkCredentials, credentials, transport } from './http-parameters.ts';
import { type Headers, HttpPost } from './http-post.ts';
import { usualVerdict } from './http-verdict.ts';
import { defineSink } from './sink.ts';

const [head, tail] = [Buffer.from('['), Buffer.from(']')];
const types = { ndjson: 'application/x-ndjson', json: 'application/json', lines: 'text/plain; charset=utf-8' };

export const http = defineSink({
  summary: 'An HTTP endpoint that takes lines, NDJSON or a JSON array',
  parameters: {
    url: url({ reach: true, example: 'https://logs.example/ingest', help: 'Where batches are posted to' }),
    format: choice(['ndjson', 'json', 'lines'], {
      default: 'ndjson',
      help: 'One JSON object per line, an array of objects, or the lines as they were',
    }),
    headers: map(text, {
      default: [],
      help: 'Headers such as X-App=billing; {name} stands for the field of that name: records that differ in it go in requests of their own',
    }),
    timeField: text({ optional: true, help: 'Field to add that holds the time (RFC 3339)' }),
    levelField: text({ optional: true, help: 'Field to add that holds the level (info)' }),
    idField: text({ optional: true, help: 'Field to add that holds an id, the same whenever the record is sent' }),
    apiKey: secret({ optional: true, help: 'Secret that goes alone in the header named by apiKeyHeader' }),
    apiKeyHeader: text({ default: 'X-Api-Key', help: 'Header of the apiKey' }),
    ...credentials,
    ...transport,
  },

  async open({ url: target, format, headers: templates, apiKey, apiKeyHeader, ...others }, context) {
    checkCredentials(others, 'sinkHttp');
    for (const [name, template] of Object.entries(templates)) checkHeader(name, template, 'sinkHttpHeaders');
    checkHeader(apiKeyHeader, '', 'sinkHttpApiKeyHeader');
    const post = await HttpPost.open(others, [target], { context, prefix: 'sinkHttp' });
    const { timeField, levelField, idField: uidField } = others;
    const names = definedOnly({ timeField, levelField, uidField, levelFormat: 'name' as const });
    const isConstant = !Object.values(templates).some((template) => template.search(fieldName) >= 0);
    return {
      encoding: format === 'lines' ? line : objects(names, format === 'json' ? 0x2c : 0x0a),
      async write(batch, signal) {
        const own = headersOf(templates, batch, isConstant);
        if (own === undefined) return { became: 'split', reason: 'its records differ in what the headers show' };
        const headers = {
          ...own,
          ...authorization(others),
          ...(apiKey && { [apiKeyHeader]: apiKey.read() }),
          'content-type': types[format],
        };
        const body = format === 'json' ? withinArray(batch, head, tail) : batch.bytes;
        return usualVerdict(await post.post(target, { body, signal, headers }), batch);
      },
      close: () => post[Symbol.asyncDispose](),
    };
  },
});

const objects =
  (names: JsonNames, separator: number): Encoding =>
  (records) => {
    const write = jsonRecord(records, names);
    return (index, into) => {
      write(index, into);
      into.byte(separator);
    };
  };

const definedOnly = <T extends object>(values: T) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: NonNullable<T[K]>;
  };

/** A request that can never be sent would be tried for ever. */
function checkHeader(name: string, value: string, parameter: string): void {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  } catch (error) {
    throw new ParameterProblem(parameter, reasonOf(error), { cause: error });
  }
}

const fieldName = /\{([^{}]+)\}/g;

/** Undefined where records of the batch would have different ones. Constant headers cost nothing: no record is looked at. */
function headersOf(templates: Headers, batch: Batch, isConstant: boolean): Headers | undefined {
  if (isConstant) return templates;
  let headers = '';
  for (let index = 0; index < batch.records; index++) {
    const filled = JSON.stringify(fill(templates, batch.provenance(index).fields));
    if (index > 0 && filled !== headers) return undefined;
    headers = filled;
  }
  return JSON.parse(headers) as Headers;
}

const fill = (templates: Headers, fields: Readonly<Record<string, unknown>>): Headers =>
  Object.fromEntries(
    Object.entries(templates).map(([name, template]) => [
      name,
      // A header holds printable ASCII: a newline would make two of it.
      template.replace(fieldName, (_, field: string) => String(fields[field] ?? '').replace(/[^\x20-\x7e]/g, '?')),
    ]),
  );
