// Local time to time since the epoch, by the zones that Intl knows.
//
// Asking Intl costs 2 us; offsets change at full quarters of an hour, so each quarter is asked for once, and lines that
// follow one another are nearly always in the same one.

/** Seconds since the epoch of a local time given as if it were UTC. */
export type Zone = (local: number) => number;

export const utc: Zone = (local) => local;

export const fixedZone =
  (offset: number): Zone =>
  (local) =>
    local - offset;

const quarter = 900;
const day = 86_400;

/**
 * Throws for a zone that nobody knows. A local time that comes twice, when clocks are set back, is the first of the two;
 * one that never comes, when they are set forward, is as late as if they had not been.
 */
export function zoneOf(name: string): Zone {
  if (/^(?:utc|gmt|z)$/i.test(name)) return utc;
  const offsetAt = offsets(name);
  let known = Number.NaN;
  let offset = 0;
  return (local) => {
    const block = Math.floor(local / quarter);
    if (block !== known) {
      offset = offsetOfLocal(local, offsetAt);
      known = block;
    }
    return local - offset;
  };
}

function offsetOfLocal(local: number, offsetAt: (instant: number) => number): number {
  // No zone changes twice within two days.
  const before = offsetAt(local - day);
  const after = offsetAt(local + day);
  // The one before first: it is the earlier of two, and what a gap is read by.
  return before === after || offsetAt(local - before) === before || offsetAt(local - after) !== after ? before : after;
}

function offsets(name: string): (instant: number) => number {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset', year: 'numeric' });
  } catch (error) {
    throw new Error('a time zone such as Europe/Berlin or UTC is expected', { cause: error });
  }
  return (instant) => {
    const part = format.formatToParts(instant * 1000).find(({ type }) => type === 'timeZoneName');
    const [, sign, hours, minutes = '0', seconds = '0'] =
      /^GMT([+-])(\d\d):?(\d\d)?:?(\d\d)?$/.exec(part?.value ?? '') ?? [];
    if (hours === undefined) return 0;
    const offset = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
    return sign === '-' ? -offset : offset;
  };
}

/** Abbreviations that mean one offset wherever they are used. */
const abbreviations: Readonly<Record<string, number>> = {
  ...{ UTC: 0, GMT: 0, UT: 0, Z: 0, WET: 0, WEST: 1, CET: 1, CEST: 2, EET: 2, EEST: 3, MSK: 3, JST: 9, KST: 9 },
  ...{ EST: -5, EDT: -4, CDT: -5, MST: -7, MDT: -6, PST: -8, PDT: -7, AEST: 10, AEDT: 11 },
};

/** Seconds east of Greenwich, or undefined for what may be several zones. */
export function offsetOf(abbreviation: string): number | undefined {
  const hours = Object.hasOwn(abbreviations, abbreviation) ? abbreviations[abbreviation] : undefined;
  return hours === undefined ? undefined : hours * 3600;
}
