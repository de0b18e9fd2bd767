// The kinds of parameters. Each kind knows how a value is written, what type it has and how its schema looks.

import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Address, parseAddress } from '../address.ts';
import { Secret } from '../secret.ts';
import { listed, nearest } from './nearest.ts';
import type { JsonSchema, Maybe, Options, Parameter, Peer } from './parameter.ts';
import { formatDuration, formatSize, parseDuration, parseSize } from './units.ts';

type Kind<T> = {
  kind: string;
  schema: JsonSchema;
  parse: (written: string) => T;
  format?: (parsed: T) => string;
  writes?: boolean | undefined;
  probe?: ((value: unknown) => string | undefined) | undefined;
  peers?: ((parsed: T) => readonly Peer[]) | undefined;
};

export function scalar<T>(options: Options, kind: Kind<T>): Parameter<T> {
  return {
    help: options.help,
    default: options.default,
    example: options.example,
    optional: options.optional ?? false,
    reloadable: options.reloadable ?? false,
    aliases: options.aliases ?? {},
    deprecated: options.deprecated,
    repeatable: false,
    secret: false,
    flagOnly: false,
    format: String,
    combine: (parsed) => parsed[0] as T,
    ...(kind as Kind<unknown>),
  };
}

/** The value may be absent when `optional: true` is declared. */
export const typed = <T, O>(parameter: Parameter<T>) => parameter as unknown as Parameter<Maybe<T, O>>;

/** A string. `pattern` must match the whole of it. */
export function text<const O extends Options & { pattern?: RegExp; expected?: string }>(options: O) {
  const { pattern } = options;
  return typed<string, O>(
    scalar(options, {
      kind: 'text',
      schema: { type: 'string', ...(pattern && { pattern: pattern.source }) },
      parse: (written) => {
        if (written === '') throw new Error('a value is expected');
        if (pattern && !new RegExp(`^(?:${pattern.source})$`, pattern.flags).test(written))
          throw new Error(`${options.expected ?? `text matching ${pattern.source}`} is expected`);
        return written;
      },
    }),
  );
}

/** `true` or `false`; as a flag it may stand alone, and `--no-name` is `--name=false`. */
export function boolean<const O extends Options>(options: O) {
  return typed<boolean, O>({
    ...scalar(options, {
      kind: 'boolean',
      schema: { type: 'boolean' },
      parse: (written) => {
        if (written !== 'true' && written !== 'false') throw new Error('true or false is expected');
        return written === 'true';
      },
    }),
    flagOnly: true,
  });
}

/** A whole number. */
export function integer<const O extends Options & { min?: number; max?: number }>(options: O) {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = options;
  return typed<number, O>(
    scalar(options, {
      kind: 'integer',
      schema: {
        type: 'integer',
        ...(options.min !== undefined && { minimum: min }),
        ...(options.max !== undefined && { maximum: max }),
      },
      parse: (written) => {
        const value = Number(written);
        if (!/^[+-]?\d+$/.test(written))
          throw new Error(`a whole number ${bounds(options.min, options.max)}is expected`);
        // Beyond these, neighbours become one number: what was meant is not what would be used.
        if (!Number.isSafeInteger(value)) throw new Error('a whole number of at most 15 digits is expected');
        if (value < min || value > max)
          throw new Error(`a whole number ${bounds(options.min, options.max)}is expected`);
        return value || 0;
      },
    }),
  );
}

const bounds = (min?: string | number, max?: string | number) =>
  min !== undefined && max !== undefined
    ? `from ${min} to ${max} `
    : min !== undefined
      ? `of at least ${min} `
      : max !== undefined
        ? `of at most ${max} `
        : '';

function quantity<O extends Options & { min?: string; max?: string }>(
  options: O,
  unit: Pick<Kind<number>, 'kind' | 'parse' | 'format'> & { example: string; pattern: string },
) {
  const min = options.min === undefined ? 0 : unit.parse(options.min);
  const max = options.max === undefined ? Number.POSITIVE_INFINITY : unit.parse(options.max);
  return typed<number, O>(
    scalar(options, {
      kind: unit.kind,
      schema: { type: 'string', pattern: unit.pattern, examples: [unit.example] },
      parse: (written) => {
        const value = unit.parse(written);
        if (value < min || value > max)
          throw new Error(`a ${unit.kind} ${bounds(options.min, options.max)}is expected`);
        return value;
      },
      format: unit.format,
    }),
  );
}

/** `500ms`, `10s`, `2m`, `1h30m`; the value is in milliseconds. */
export const duration = <const O extends Options & { min?: string; max?: string }>(options: O) =>
  quantity(options, {
    kind: 'duration',
    example: '10s',
    pattern: '^(0|(\\d+(\\.\\d+)?(ms|s|m|h|d))+)$',
    parse: parseDuration,
    format: formatDuration,
  });

/** `512B`, `64KiB`, `1MiB`, `2GB`; the value is in bytes. */
export const size = <const O extends Options & { min?: string; max?: string }>(options: O) =>
  quantity(options, {
    kind: 'size',
    example: '64KiB',
    pattern: '^\\d+(\\.\\d+)?(B|KiB|MiB|GiB|TiB|kB|KB|MB|GB|TB)?$',
    parse: parseSize,
    format: formatSize,
  });

/** `reach: true` for somebody to connect to: --check then tests whether that works. */
type Reach = { readonly reach?: boolean | undefined };

/** `127.0.0.1:9400`, `[::1]:80`, `name:443`, `:8080` for all addresses. */
export const address = <const O extends Options & Reach>(options: O) =>
  typed<Address, O>(
    scalar(options, {
      kind: 'address',
      schema: { type: 'string', examples: ['127.0.0.1:8080'] },
      parse: parseAddress,
      peers: options.reach ? (parsed) => [parsed] : undefined,
    }),
  );

/** A URL; the value is a URL object. */
export function url<const O extends Options & Reach & { schemes?: readonly string[] }>(options: O) {
  const schemes = options.schemes ?? ['http', 'https'];
  const expected = `a URL such as ${options.example ?? options.default ?? `${schemes[0]}://127.0.0.1:8080`} is expected`;
  return typed<URL, O>(
    scalar(options, {
      kind: 'url',
      schema: { type: 'string', format: 'uri', pattern: `^(${schemes.join('|')}):` },
      parse: (written) => {
        const parsed = URL.canParse(written) ? new URL(written) : undefined;
        if (!parsed || !schemes.includes(parsed.protocol.slice(0, -1))) throw new Error(expected);
        return parsed;
      },
      format: ({ href }) => href,
      peers: options.reach ? peersOf : undefined,
    }),
  );
}

/** http and https have ports of their own; `unix:/run/app.sock:/page` names a socket; a file is no peer. */
export function peersOf({ protocol, hostname, port, pathname }: URL): readonly Peer[] {
  if (protocol === 'unix:') return [{ path: pathname.split(':')[0]! }];
  const number = Number(port || { 'http:': 80, 'https:': 443 }[protocol]);
  return hostname && number ? [{ host: hostname.replace(/^\[|\]$/g, ''), port: number }] : [];
}

/**
 * A path. `access` says what must hold on the machine before the sidecar starts: the file can be read,
 * the directory exists, or the directory it lies in can be written. `writes` says that the sidecar writes there, which
 * `access: 'write'` says as well.
 */
export function path<const O extends Options & { access?: 'read' | 'write' | 'directory'; writes?: true }>(options: O) {
  const { access } = options;
  return typed<string, O>(
    scalar(options, {
      kind: 'path',
      schema: { type: 'string' },
      parse: (written) => {
        if (written === '') throw new Error('a path is expected');
        if (written.includes('\0')) throw new Error('a path without a NUL byte is expected');
        return written;
      },
      writes: access === 'write' || options.writes,
      probe: access && ((value) => (value === undefined ? undefined : probePath(value as string, access))),
    }),
  );
}

function probePath(path: string, access: 'read' | 'write' | 'directory'): string | undefined {
  try {
    const target = access === 'write' ? dirname(path) : path;
    const isDirectory = statSync(target).isDirectory();
    if (access === 'read' && isDirectory) return 'is a directory, a file is expected';
    if (access !== 'read' && !isDirectory) return `"${target}" is not a directory`;
    accessSync(target, access === 'write' ? constants.W_OK | constants.X_OK : constants.R_OK);
    return undefined;
  } catch (error) {
    return reasonOf(error as NodeJS.ErrnoException, access);
  }
}

function reasonOf(error: NodeJS.ErrnoException, access: 'read' | 'write' | 'directory'): string {
  const noun = access === 'read' ? 'file' : 'directory';
  if (error.code === 'ENOENT') return `no such ${noun}`;
  if (error.code === 'EACCES') return `no permission to ${access === 'write' ? 'write there' : 'read it'}`;
  if (error.code === 'EROFS') return 'the file system is read-only';
  return error.message;
}

/** One of the given words. */
export function choice<const W extends readonly string[], const O extends Options>(words: W, options: O) {
  return typed<W[number], O>(
    scalar(options, {
      kind: words.join('|'),
      schema: { enum: words },
      parse: (written): W[number] => {
        if (!words.includes(written)) throw new Error(unknownWord(written, words));
        return written;
      },
    }),
  );
}

function unknownWord(written: string, words: readonly string[]): string {
  const guess = nearest(written, words);
  return `${listed(words)} is expected${guess ? `; did you mean ${guess}?` : ''}`;
}

/**
 * A secret `x`: the file named by `--x-file` or OUTRIGGER_X_FILE, or the variable OUTRIGGER_X itself. It has no flag of
 * its own, since argv is world-readable.
 */
export function secret<const O extends Omit<Options, 'default'>>(options: O) {
  return typed<Secret, O>({
    ...scalar(options, { kind: 'secret', schema: { type: 'string' }, parse: (written) => Secret.of(written) }),
    secret: true,
    probe: (value) => (value === undefined ? undefined : (value as Secret).problem()),
  });
}
