// --help, --version, --print-config, --json-schema, --openapi: print and end.

import { renderOpenApi } from './admin/openapi.ts';
import { renderHelp } from './parameters/help.ts';
import { bootstrap } from './parameters/names.ts';
import type { OpenParameters } from './parameters/open-parameters.ts';
import { allParameters, defaultAdminPort } from './parameters/open-parameters.ts';
import { formatProblems } from './parameters/problem.ts';
import { renderSchema } from './parameters/schema.ts';
import { type Action, standardParameters } from './parameters/standard.ts';
import type { AnySidecar } from './sidecar.ts';

/** Prints what was asked for and returns the exit code. */
export async function printAction(
  action: Exclude<Action, 'check'>,
  sidecar: AnySidecar,
  parameters: OpenParameters,
): Promise<number> {
  process.stdout.write(`${await render(action, sidecar, parameters)}\n`);
  if (action !== 'print-config' || parameters.problems.length === 0) return 0;
  process.stderr.write(`${formatProblems(sidecar.name, parameters.problems)}\n`);
  return 64;
}

async function render(
  action: Exclude<Action, 'check'>,
  sidecar: AnySidecar,
  parameters: OpenParameters,
): Promise<string> {
  switch (action) {
    case 'help':
      return helpOf(sidecar, parameters).trimEnd();
    case 'version':
      return `${sidecar.name} ${sidecar.version}`;
    case 'json-schema':
      return JSON.stringify(renderSchema(`outrigger ${sidecar.name}`, allParameters(sidecar)), null, 2);
    case 'openapi':
      return JSON.stringify(renderOpenApi(sidecar), null, 2);
    case 'print-config':
      return printConfig(parameters);
  }
}

const helpOf = (sidecar: AnySidecar, { effective }: OpenParameters) =>
  renderHelp(sidecar, sidecar.parameters, standardParameters(sidecar.port ?? defaultAdminPort), effective);

/** YAML that can be used as a config file, each value with its source as a comment; a secret's value is not in it. */
async function printConfig({ entries, effective }: OpenParameters): Promise<string> {
  const { Document } = await import('yaml');
  const document = new Document({});
  let hidden = '';
  for (const { key, fileKey, parameter } of entries) {
    const given = effective[key];
    if (!given || bootstrap.has(key)) continue;
    const { value, source } = given;
    if (parameter.secret && !isFile(value)) {
      hidden += ` ${key} is a secret from ${source}\n`;
      continue;
    }
    // A structure is shown as its file, or whole where it stands in the config file.
    const name = parameter.nested && typeof value !== 'string' ? key : fileKey;
    const pair = document.createPair(name, parameter.secret ? fileOf(value) : value);
    pair.key.commentBefore = ` ${source}`;
    document.add(pair);
  }
  if (hidden) document.comment = hidden.trimEnd();
  return document.toString().trimEnd();
}

const isFile = (value: unknown) => /^\[file .*\]$/s.test(String(value));
const fileOf = (value: unknown) => String(value).slice('[file '.length, -1);
