// What a parser is: it finds the fields in a line.

import type { Member, Parameters, Values } from '@outrigger/core';

export type Fields = Readonly<Record<string, unknown>>;

export type Parser = {
  /** Absent when the line itself is the record: then no line becomes a string or an object. Throws when the line is not what the parser reads. */
  readonly parse?: (bytes: Buffer, start: number, end: number) => Fields;
};

export type ParserMember = Member & { open(parameters: Values<Parameters>): Parser };

export const defineParser = <P extends Parameters>(member: {
  readonly summary: string;
  readonly parameters: P;
  open(parameters: Values<P>): Parser;
}): ParserMember => member as unknown as ParserMember;
