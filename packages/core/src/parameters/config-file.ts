// The file named by --config: YAML (of which JSON is a part), with the position of every key for messages.

import { readFile } from 'node:fs/promises';
import type * as Yaml from 'yaml';
import type { Problem } from './problem.ts';

export type FileValue = { readonly written: readonly string[] | undefined; readonly source: string };
export type ConfigFile = { readonly values: ReadonlyMap<string, FileValue>; readonly problems: readonly Problem[] };

export const noConfigFile: ConfigFile = { values: new Map(), problems: [] };

/** Reads the file; everything wrong with it comes back as problems. */
export async function readConfigFile(file: string): Promise<ConfigFile> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    return failed({ parameter: '--config', value: file, message: reasonOfFile(error as NodeJS.ErrnoException) });
  }
  // yaml costs 1.2 MB: only a sidecar with a config file pays for it.
  return parseConfigFile(await import('yaml'), file, content);
}

function reasonOfFile({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES') return 'no permission to read it';
  if (code === 'EISDIR') return 'is a directory, a file is expected';
  return message;
}

const failed = (...problems: Problem[]): ConfigFile => ({ ...noConfigFile, problems });

function parseConfigFile(yaml: typeof Yaml, file: string, content: string): ConfigFile {
  const { isMap, LineCounter, parseDocument } = yaml;
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
