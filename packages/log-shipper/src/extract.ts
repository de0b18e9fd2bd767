// When it was and how bad it was, out of the fields that a parser has found.

import type { Fields, Records } from './records.ts';
import { type LevelScale, severityOf } from './severity.ts';
import { type Moment, timeReader } from './time/time.ts';
import { zoneOf } from './time/zone.ts';

export type ExtractOptions = {
  /** The names of the fields; dots lead into objects. */
  readonly timeField?: string | undefined;
  readonly levelField?: string | undefined;
  readonly timeFormat?: string | undefined;
  /** For times that say no zone. */
  readonly timeZone?: string | undefined;
  readonly levelScale?: LevelScale | undefined;
};

/** Fills in times and levels of records that have fields, and returns how many have a time that cannot be read. */
export type Extract = (records: Records) => number;

/** Throws an Error that says what is expected, for a format or a zone that nobody knows. */
export function extractor(options: ExtractOptions): Extract {
  const { timeField, levelField, timeFormat = 'auto', timeZone = 'UTC', levelScale = 'auto' } = options;
  const reader = timeReader(timeFormat, zoneOf(timeZone));
  const valueOfTime = timeField === undefined ? undefined : lookUp(timeField);
  const valueOfLevel = levelField === undefined ? undefined : lookUp(levelField);
  // OTLP's own name says which numbers they are.
  const scale = levelScale === 'auto' && /severity_?number$/i.test(levelField ?? '') ? 'otlp' : levelScale;
  const moment: Moment = { seconds: 0, nanos: 0 };

  return (records) => {
    const { fields } = records;
    if (!fields) return 0;
    let unreadable = 0;
    for (let index = 0; index < fields.length; index++) {
      const found = fields[index];
      if (!found) continue;
      const time = valueOfTime?.(found);
      if (time !== undefined && time !== null) {
        // What the envelope of a line said stays where the line itself says nothing.
        if (reader.of(time, moment)) records.setTime(index, moment);
        else unreadable++;
      }
      const level = valueOfLevel ? severityOf(valueOfLevel(found), scale) : 0;
      if (level !== 0) records.setLevel(index, level);
    }
    return unreadable;
  };
}

function lookUp(name: string): (fields: Fields) => unknown {
  if (!name.includes('.')) return (fields) => own(fields, name);
  const path = name.split('.');
  // A field may have a dot in its name.
  return (fields) => own(fields, name) ?? path.reduce<unknown>((value, step) => own(value, step), fields);
}

const own = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Fields)[name] : undefined;
