// --help, --version, --print-config, --json-schema, --openapi: print and end.

import { renderOpenApi } from './admin/openapi.ts';
import { renderHelp } from './parameters/help.ts';
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
  { effective }: OpenParameters,
): Promise<string> {
  switch (action) {
    case 'help':
      return renderHelp(sidecar, sidecar.parameters, standardParameters(sidecar.port ?? defaultAdminPort)).trimEnd();
    case 'version':
      return `${sidecar.name} ${sidecar.version}`;
    case 'json-schema':
      return JSON.stringify(renderSchema(`outrigger ${sidecar.name}`, allParameters(sidecar)), null, 2);
    case 'openapi':
      return JSON.stringify(renderOpenApi(sidecar), null, 2);
    case 'print-config':
      return printConfig(effective);
  }
}

/** YAML that can be used as a config file, each value with its source as a comment. */
async function printConfig(effective: OpenParameters['effective']): Promise<string> {
  const { Document, isPair, isScalar } = await import('yaml');
  const plain = Object.fromEntries(Object.entries(effective).map(([key, { value }]) => [key, value]));
  const document = new Document(plain);
  for (const pair of (document.contents as unknown as { items: unknown[] }).items) {
    if (!isPair(pair) || !isScalar(pair.key)) continue;
    pair.key.commentBefore = ` ${effective[String(pair.key.value)]!.source}`;
  }
  return document.toString().trimEnd();
}
