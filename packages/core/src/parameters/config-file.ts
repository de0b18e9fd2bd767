// The file named by --config: YAML (of which JSON is a part), with the position of every key for messages.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import type { Problem } from './problem.ts';

export type FileValue = { readonly written: readonly string[] | undefined; readonly source: string };
export type ConfigFile = { readonly values: ReadonlyMap<string, FileValue>; readonly problems: readonly Problem[] };

// yaml costs 1.2 MB: only a sidecar with a config file pays for it.
const yaml = (): typeof Yaml => createRequire(import.meta.url)('yaml');

/** Reads the file; everything wrong with it comes back as problems. */
export function readConfigFile(file: string): ConfigFile {
  try {
    return parseConfigFile(file, readFileSync(file, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'no permission to read it' : message.split('\n')[0];
    return failed({ parameter: '--config', value: file, message: reason ?? 'cannot be read' });
  }
}

const failed = (...problems: Problem[]): ConfigFile => ({ values: new Map(), problems });

export function parseConfigFile(file: string, content: string): ConfigFile {
  const { isMap, LineCounter, parseDocument } = yaml();
  const lineCounter = new LineCounter();
  const document = parseDocument(content, { lineCounter, prettyErrors: false, uniqueKeys: true });
  const position = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0)
    return failed(
      ...document.errors.map(({ message, pos }) => ({ parameter: '--config', value: position(pos[0]), message })),
    );
  if (document.contents === null) return failed();
  if (!isMap(document.contents))
    return failed({ parameter: '--config', value: `${file}:1:1`, message: 'a mapping of parameters is expected' });

  const values = new Map<string, FileValue>();
  for (const { key, value } of document.contents.items) {
    const node = key as Yaml.Scalar;
    values.set(String(node.value), {
      written: writtenValues((value as Yaml.Node | null)?.toJS(document)),
      source: position(node.range?.[0] ?? 0),
    });
  }
  return { values, problems: [] };
}

/** A scalar as one string, a list as many, a mapping as key=value pairs; undefined for anything deeper. */
function writtenValues(value: unknown): string[] | undefined {
  if (isScalar(value)) return [String(value)];
  if (Array.isArray(value)) return value.every(isScalar) ? value.map(String) : undefined;
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value);
    return pairs.every(([, item]) => isScalar(item)) ? pairs.map(([key, item]) => `${key}=${item}`) : undefined;
  }
  return undefined;
}

const isScalar = (value: unknown) => ['string', 'number', 'boolean'].includes(typeof value);
