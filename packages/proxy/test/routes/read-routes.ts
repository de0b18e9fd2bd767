import { writeFile } from 'node:fs/promises';
import { formatProblem, nested } from '@outrigger/core';
import { readParameters, scratch } from '@outrigger/core/testing';
import { RequestHead } from '../../src/http/request-head.ts';
import { isRefusal, Router } from '../../src/routes/router.ts';
import { type RoutesFile, readRoutes, routesSchema } from '../../src/routes/rules.ts';

export const routes = nested(routesSchema, { read: readRoutes, optional: true, reloadable: true, help: 'Rules' });

/** What a file of this content says; problems as they are shown, with the file as routes.yaml. */
export async function readFile(
  content: string,
): Promise<{ file: RoutesFile | undefined; problems: readonly string[] }> {
  await using directory = await scratch();
  const path = directory.join('routes.yaml');
  await writeFile(path, content);
  const { values, problems } = await readParameters({ routes }, ['--routes-file', path]);
  const short = (said: string) => said.replaceAll(path, 'routes.yaml');
  if (problems.length > 0) return { file: undefined, problems: problems.map((each) => short(formatProblem(each))) };
  return { file: values.routes, problems: [] };
}

/** Of rules that are right. */
export async function fileOf(content: string): Promise<RoutesFile> {
  const { file, problems } = await readFile(content);
  if (!file) throw new Error(problems.join('\n'));
  return file;
}

/** `rules:` of rules on one line each, as YAML flow mappings. */
export const routerOf = async (...rules: string[]): Promise<Router> =>
  new Router((await fileOf(`rules:\n${rules.map((rule) => `  - { ${rule} }\n`).join('')}`)).rules);

export type Asked = { readonly method?: string; readonly host?: string };

// As in the proxy, one head after the other is read into the same.
const head = new RequestHead();

export function requestOf(target: string, { method = 'GET', host = 'a' }: Asked = {}) {
  // In the middle of a buffer, as after a pipelined request.
  const before = 'x'.repeat(7);
  const octets = Buffer.from(`${before}${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 'latin1');
  const after = head.read(octets, before.length, { end: octets.length, most: 32_768 });
  if (after !== octets.length) throw new Error(`${target} is no target: ${head.refusal?.reason}`);
  return { octets, head };
}

/** The rule's name, or the reason why it is refused, and what the application gets if not the target itself. */
export function findIn(router: Router, target: string, asked?: Asked): string {
  const { octets, head } = requestOf(target, asked);
  const found = router.find(octets, head);
  if (isRefusal(found)) return `${found.status} ${found.reason}`;
  return router.target === undefined ? found.name : `${found.name} ${router.target}`;
}
