// What is asked of one record, for keeping, dropping and routing: `level>=warn and not tag=health.*`.

/** What a condition sees of a record. */
export type RecordView = {
  /** OTLP's severityNumber; 0 where it is unknown. */
  readonly level: number;
  readonly tag: string | undefined;
  readonly stream: string | undefined;
  /** Of its file or source. */
  readonly path: string;
  readonly line: string;
  /** Undefined where there is none. */
  field(names: readonly string[]): unknown;
};

export type Condition = {
  /** As it was written. */
  readonly text: string;
  /** Whether fields, or the level that is among them, must have been found before. */
  readonly needs: 'bytes' | 'fields';
  holds(record: RecordView): boolean;
};
