// What a parser is: it finds the fields in a line.

import type { Member, Parameters, Values } from '@outrigger/core';
import type { Fields } from '../records.ts';

export type { Fields };

export type Parser = {
  /** Absent when the line itself is the record. Throws when the line is not what the parser reads. */
  readonly parse?: (bytes: Buffer, start: number, end: number) => Fields;
  /** Lines are JSON objects: unless somebody has to see their fields, they may stay bytes up to the encoder. */
  readonly format?: 'json';
  /** Where the time and the level of a record are, unless a parameter says otherwise. */
  readonly timeField?: string;
  readonly levelField?: string;
};

export type ParserMember = Member & { open(parameters: Values<Parameters>): Parser };

export const defineParser = <P extends Parameters>(member: {
  readonly summary: string;
  readonly parameters: P;
  open(parameters: Values<P>): Parser;
}): ParserMember => member as unknown as ParserMember;
