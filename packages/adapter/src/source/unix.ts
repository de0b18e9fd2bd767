// HTTP over a Unix socket, written as nginx writes it: the socket's path, a colon, the path of the page.

import { ask } from './http.ts';
import type { Source } from './source.ts';

export const unix: Source = {
  summary: 'HTTP over a Unix socket',
  schemes: ['unix'],
  example: 'unix:/run/app.sock:/status.xml',
  check: (target) => (partsOf(target) ? undefined : 'unix:/path/of/the/socket:/path/of/the/page is expected'),
  async open(request) {
    const { socketPath, path } = partsOf(request.target)!;
    return ask(request, { socketPath, path, host: 'localhost' });
  },
};

function partsOf({ pathname, search }: URL): { socketPath: string; path: string } | undefined {
  const [, socket, page = '/'] = /^(\/[^:]+)(?::(\/.*))?$/.exec(pathname) ?? [];
  return socket === undefined ? undefined : { socketPath: decodeURIComponent(socket), path: page + search };
}
