// What an image says of itself, rendered from the role's declarations: a tool that composes Pods reads it from the image
// alone, before the image has ever run.

import { parseAddress } from './address.ts';
import { renderOpenApi } from './admin/openapi.ts';
import { versionsOf } from './admin/route.ts';
import { type Entry, entriesOf } from './parameters/names.ts';
import { allParameters } from './parameters/open-parameters.ts';
import { renderSchema } from './parameters/schema.ts';
import type { AnySidecar } from './sidecar.ts';

/** Label to value. Those that are not plain text are JSON. */
export function renderLabels(sidecar: AnySidecar): Readonly<Record<string, string>> {
  const parameters = allParameters(sidecar);
  const entries = entriesOf(parameters);
  return {
    'org.opencontainers.image.title': `outrigger/${sidecar.name}`,
    'org.opencontainers.image.description': sidecar.summary,
    'org.opencontainers.image.version': sidecar.version,
    'dev.outrigger.role': sidecar.name,
    'dev.outrigger.parameters': JSON.stringify(renderSchema(`outrigger ${sidecar.name}`, parameters)),
    'dev.outrigger.ports': JSON.stringify(Object.fromEntries(entries.flatMap(listenedPort))),
    'dev.outrigger.api-versions': JSON.stringify(apiVersions(sidecar)),
    'dev.outrigger.writes': JSON.stringify(entries.filter(({ parameter }) => parameter.writes).map(({ key }) => key)),
    'dev.outrigger.stop-signal': 'SIGTERM',
  };
}

/** Where it listens unless it is told otherwise. */
function listenedPort({ key, parameter }: Entry): [string, number][] {
  const listens = /^adminAddress$|[lL]istenAddress$/.test(key) && typeof parameter.default === 'string';
  return listens ? [[key, parseAddress(parameter.default as string).port]] : [];
}

function apiVersions(sidecar: AnySidecar): string[] {
  const { paths } = renderOpenApi(sidecar) as { readonly paths: Readonly<Record<string, unknown>> };
  return versionsOf(Object.keys(paths).map((path) => `GET ${path}`));
}
