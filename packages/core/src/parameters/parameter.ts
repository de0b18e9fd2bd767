// What a parameter is: data from which flags, env, file keys, help, schema, reference and errors are rendered.

export type JsonSchema = Readonly<Record<string, unknown>>;

export type Aliases = {
  /** Further flags without their dashes, `root` for `--root`. */
  readonly flags?: readonly string[];
  /** Further environment variables, whole: `GITSYNC_ROOT`. */
  readonly env?: readonly string[];
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
  readonly schema: JsonSchema;
  /** Set on a parameter that chooses members of a family. */
  readonly members?: Readonly<Record<string, Member>> | undefined;
  /** One written value to a typed one. Throws an Error whose message says what is expected. */
  readonly parse: (written: string) => unknown;
  /** From all parsed values (one, unless repeatable) to what the sidecar reads. */
  readonly combine: (parsed: readonly unknown[]) => T;
  /** What is wrong with the value on this machine (files, permissions), or undefined. */
  readonly probe?: ((value: unknown) => string | undefined) | undefined;
};

export type Parameters = Readonly<Record<string, Parameter<unknown>>>;

/** A member of a family declares its own parameters; `--sink forward` reads `--sink-forward-*`. */
export type Member = { readonly summary: string; readonly parameters: Parameters };

export type ValueOf<P> = P extends Parameter<infer T> ? T : never;
export type Values<P extends Parameters> = { readonly [K in keyof P]: ValueOf<P[K]> };

/** A value that may be absent when its parameter is optional. */
export type Maybe<T, O> = O extends { readonly optional: true } ? T | undefined : T;
