// Applications as they read paths, each in a way that some known one has, and paths made of what makes them disagree.

import fc from 'fast-check';

type Reader = (path: string) => string[];

const unescaped = (path: string) =>
  path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
const strip = (path: string) => path.replace(/;[^/]*/g, '');
const cut = (path: string) => path.replace(/[;?#].*/s, '');
const backslashes = (path: string) => path.replaceAll('\\', '/');

function resolve(path: string, keepEmpty = false): string[] {
  const kept: string[] = [];
  for (const name of path.split('/').slice(1)) {
    if (name === '..') kept.pop();
    else if (name !== '.' && (keepEmpty || name !== '')) kept.push(name);
  }
  return kept;
}

/** Segments of a path. */
export const readers: Readonly<Record<string, Reader>> = {
  'as it is': (path) => path.split('/').slice(1),
  'unescapes alone': (path) => unescaped(path).split('/').slice(1),
  'resolves, then unescapes': (path) => resolve(path).map(unescaped),
  'resolves with empty segments, then unescapes': (path) => resolve(path, true).map(unescaped),
  'resolves, then strips and unescapes': (path) => resolve(path).map(strip).map(unescaped),
  'unescapes, then resolves': (path) => resolve(unescaped(path)),
  'unescapes, then resolves with empty segments': (path) => resolve(unescaped(path), true),
  'strips, unescapes, resolves': (path) => resolve(unescaped(strip(path))),
  'unescapes, strips, resolves': (path) => resolve(strip(unescaped(path))),
  'strips, unescapes, strips, resolves': (path) => resolve(strip(unescaped(strip(path)))),
  'ends at a semicolon': (path) => resolve(unescaped(cut(path))),
  'unescapes and ends at a semicolon': (path) => resolve(cut(unescaped(path))),
  'on Windows': (path) => resolve(backslashes(unescaped(path))),
  'on Windows, strips': (path) => resolve(backslashes(strip(unescaped(path)))),
  'on Windows, strips later': (path) => resolve(strip(backslashes(unescaped(path)))),
  'on Windows, strips first': (path) => resolve(backslashes(unescaped(strip(path)))),
  'unescapes twice': (path) => resolve(unescaped(unescaped(path))),
  'unescapes, strips, unescapes': (path) => resolve(unescaped(strip(unescaped(path)))),
  'resolves between unescaping twice': (path) => resolve(`/${resolve(unescaped(path)).map(unescaped).join('/')}`),
  'unescapes twice on Windows': (path) => resolve(backslashes(unescaped(unescaped(path)))),
};

export const hostilePath = fc
  .array(
    fc.constantFrom(
      ...['/', '//', '/.', '/..', '..', '%2f', '%5c', '%252f', '%255c', '%2e', '%2e%2e', '%252e', ';', '%3b', '%253b'],
      ...['%3f', '%23', '%25', 'x', '/admin', 'admin', '%61dmin', '%2561dmin', '/admin/'],
    ),
    { maxLength: 9 },
  )
  .map((pieces) => `/${pieces.join('')}`);
