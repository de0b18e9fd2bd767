// What a parameter is: data from which flags, env, file keys, help, schema, reference and errors are rendered.

import type * as z from 'zod/mini';

export type JsonSchema = Readonly<Record<string, unknown>>;

export type Aliases = {
  /** Further flags without their dashes, `root` for `--root`. */
  readonly flags?: readonly string[];
  /** Further environment variables, whole: `GITSYNC_ROOT`. */
  readonly env?: readonly string[];
};

/** Former names: they still work, and each use is warned of with the name to use instead. */
export type FormerNames = Aliases & {
  /** Former keys in the config file, whole. */
  readonly keys?: readonly string[];
};

/** What every kind of parameter takes. A parameter is required unless it has a default or is optional. */
export type Options = {
  /** One sentence, no full stop. */
  readonly help: string;
  /** As a person would write it: `10s`, `64KiB`, `0.0.0.0:8443`. */
  readonly default?: string;
  /** May be left out without a default: the value is then undefined. */
  readonly optional?: boolean;
  /** SIGHUP and a change of the config file change it in place. */
  readonly reloadable?: boolean;
  readonly aliases?: Aliases;
  /** Why the whole parameter should be given no more, as half a sentence, or its former names. */
  readonly deprecated?: string | FormerNames;
  /** Shown in the help for a required parameter. */
  readonly example?: string;
};

export type Parameter<T> = {
  readonly kind: string;
  readonly help: string;
  readonly example?: string | undefined;
  /** As written; a list for a repeatable one. */
  readonly default?: string | readonly string[] | undefined;
  readonly optional: boolean;
  readonly reloadable: boolean;
  readonly repeatable: boolean;
  /** Read from a file (`--x-file`) or from the environment, never from argv; redacted wherever it is shown. */
  readonly secret: boolean;
  /** Stands alone as a flag: `--static` is `--static=true`. */
  readonly flagOnly: boolean;
  readonly aliases: Aliases;
  readonly deprecated?: string | FormerNames | undefined;
  readonly schema: JsonSchema;
  /** Set on a parameter whose value is a structure in a file of its own (`--x-file`) or in the config file (`x:`). */
  readonly nested?: Nested | undefined;
  /** Set on a parameter that chooses members of a family. */
  readonly members?: Readonly<Record<string, Member>> | undefined;
  /** One written value to a typed one. Throws an Error whose message says what is expected. */
  readonly parse: (written: string) => unknown;
  /** One parsed value as it is best written: `parse` makes the same of it again. */
  readonly format: (parsed: unknown) => string;
  /** From all parsed values (one, unless repeatable) to what the sidecar reads. */
  readonly combine: (parsed: readonly unknown[]) => T;
  /** A path at which, or below which, the sidecar writes: it has to be on a volume. */
  readonly writes?: boolean | undefined;
  /** What is wrong with the value on this machine (files, permissions), or undefined. */
  readonly probe?: ((value: unknown) => string | undefined) | undefined;
  /** The peers that one parsed value names, which --check connects to. */
  readonly peers?: ((parsed: unknown) => readonly Peer[]) | undefined;
};

/** Somebody to connect to, by TCP or by the path of a Unix socket. */
export type Peer = { readonly host: string; readonly port: number } | { readonly path: string };

export type Path = readonly (string | number)[];

/** What goes with a structure once its schema holds: where things stand, and somewhere to say what else is wrong. */
export type Reading = {
  /** Where the structure stands, its own file or the config file. */
  readonly file: string;
  /** `rules.yaml:4:5` */
  place(...path: Path): string;
  problem(message: string, ...path: Path): void;
};

export type Nested = {
  readonly schema: z.ZodMiniType;
  /** From what the schema accepted to the value. */
  readonly read: (accepted: unknown, reading: Reading) => unknown;
};

export type Parameters = Readonly<Record<string, Parameter<unknown>>>;

/** A member of a family declares its own parameters; `--sink forward` reads `--sink-forward-*`. */
export type Member = { readonly summary: string; readonly parameters: Parameters };

export type ValueOf<P> = P extends Parameter<infer T> ? T : never;
export type Values<P extends Parameters> = { readonly [K in keyof P]: ValueOf<P[K]> };

/** A value that may be absent when its parameter is optional. */
export type Maybe<T, O> = O extends { readonly optional: true } ? T | undefined : T;
