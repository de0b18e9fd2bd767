// What makes records of bytes where a line alone is none.

import { cri } from './cri.ts';
import { docker } from './docker.ts';
import { type Join, joinBy, type Stage } from './join.ts';
import { continuedBy, type Language, languages, startingWith } from './language.ts';
import { lines, withoutReturns } from './lines.ts';
import { multiline } from './multiline.ts';

export { type Join, type Joined, type Limits, Stream } from './join.ts';

const envelopes = { cri, docker } satisfies Record<string, Stage>;
export const envelopeNames = Object.keys(envelopes) as readonly (keyof typeof envelopes)[];
export const languageNames = Object.keys(languages) as readonly (keyof typeof languages)[];

export type JoinOptions = {
  /** What lines are wrapped in. */
  readonly envelope?: keyof typeof envelopes | undefined;
  readonly multiline?:
    | { readonly language: keyof typeof languages; readonly lines: number }
    | { readonly start: string; readonly lines: number }
    | { readonly continuation: string; readonly lines: number }
    | undefined;
  /** Whether a carriage return at the end of a line belongs to that end. */
  readonly stripReturn?: boolean;
};

/** Undefined where a line is a record: then there is nothing to join. Throws for a pattern that cannot be used. */
export function joinOf({ envelope, multiline: several, stripReturn = false }: JoinOptions): Join | undefined {
  const plain = envelope ? envelopes[envelope] : lines;
  const unwrap = stripReturn ? withoutReturns(plain) : plain;
  if (several) return joinBy(multiline(languageOf(several), unwrap, several.lines));
  return envelope && joinBy(unwrap);
}

function languageOf(several: NonNullable<JoinOptions['multiline']>): Language {
  if ('language' in several) return languages[several.language];
  return 'start' in several ? startingWith(several.start) : continuedBy(several.continuation);
}
