// A record as a syslog message, RFC 5424 or RFC 3164, in the frame that its transport needs.

import type { ByteWriter } from '../../byte-writer.ts';
import type { Encoding } from '../../encoding/encoding.ts';
import { jsonRecord } from '../../encoding/json.ts';
import { Lines } from '../../encoding/lines.ts';
import type { Instant, Records } from '../../records.ts';
import { scannerFor } from '../../transcode/scanners.ts';
import { note, noteFields, watchFor } from '../../transcode/sought.ts';

export type MessageOptions = {
  readonly format: 'rfc5424' | 'rfc3164';
  /** `none`: a datagram is a frame by itself. */
  readonly framing: 'octet-counting' | 'lf' | 'none';
  readonly encoding: 'line' | 'json';
  /** By its number. */
  readonly facility: number;
  /** Of records without a level, by its number. */
  readonly severity: number;
  readonly hostname: string;
  readonly appName: string;
  readonly procId: string;
  readonly msgId: string;
  /** Fields to put into the structured data. */
  readonly structuredData: readonly string[];
  readonly sdId: string;
  readonly bom: boolean;
};

const byteOrderMark = Buffer.of(0xef, 0xbb, 0xbf);
const lineFeed = 0x0a;
const space = 0x20;

export const message = (options: MessageOptions): Encoding => {
  const { format, framing, bom } = options;
  const headOf = format === 'rfc5424' ? head5424(options) : head3164(options);
  return (records) => {
    const writeHead = cached(records, options, headOf);
    const writeData = format === 'rfc5424' ? structuredData(records, options) : () => undefined;
    const writeText = options.encoding === 'json' ? jsonRecord(records) : line(records, bom);
    const look = timesAndLevels(records);
    return (index, into) => {
      const start = into.at;
      look(index);
      writeHead(index, into);
      writeData(index, into);
      if (bom && format === 'rfc5424') into.copy(byteOrderMark);
      writeText(index, into);
      if (framing === 'octet-counting') count(into, start);
      else if (framing === 'lf') end(into, start);
    };
  };
};

/** They stand before the text, and nobody has looked into a line of JSON before. */
function timesAndLevels(records: Records): (index: number) => void {
  const { sought } = records;
  if (!sought) return () => undefined;
  const lines = new Lines(records);
  const scanner = scannerFor({ omit: [], watch: watchFor(sought) });
  return (index) => {
    if (records.isText(index)) return;
    if (!records.fields) {
      lines.at(index);
      scanner.read(lines.bytes);
      if (scanner.scan(lines.start, lines.end) === 'object') return note(records, index, scanner);
    }
    const fields = records.found(index);
    if (fields) noteFields(records, index, fields);
  };
}

type Head = (at: Instant, severity: number) => string;

/** Most records of a batch have the same beginning as the one before. */
function cached(records: Records, { severity: usual }: MessageOptions, headOf: Head) {
  let bytes = Buffer.alloc(0);
  let last: (Instant & { severity: number }) | undefined;
  return (index: number, into: ByteWriter) => {
    const level = records.level(index);
    const severity = level > 0 ? severityOf(level) : usual;
    const { seconds, nanos } = records.time(index);
    if (last?.seconds !== seconds || last.nanos !== nanos || last.severity !== severity) {
      bytes = Buffer.from(headOf({ seconds, nanos }, severity));
      last = { seconds, nanos, severity };
    }
    into.copy(bytes);
  };
}

/** From OTLP's severityNumber. Emergencies go to the terminals of all users: no application has any. */
export function severityOf(level: number): number {
  if (level >= 19) return 1;
  if (level >= 18) return 2;
  if (level >= 17) return 3;
  if (level >= 13) return 4;
  if (level >= 10) return 5;
  return level >= 9 ? 6 : 7;
}

function head5424({ facility, hostname, appName, procId, msgId }: MessageOptions): Head {
  const names = [printable(hostname, 255), printable(appName, 48), printable(procId, 128), printable(msgId, 32)];
  return ({ seconds, nanos }, severity) => {
    const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
    const micros = String(Math.floor(nanos / 1000)).padStart(6, '0');
    return `<${facility * 8 + severity}>1 ${whole}.${micros}Z ${names.join(' ')} `;
  };
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Its times have neither year nor zone: they are those of this machine's clock, as receivers take them to be. */
function head3164({ facility, hostname, appName, procId }: MessageOptions): Head {
  const process = procId === '-' ? '' : `[${printable(procId, 128)}]`;
  const names = `${printable(hostname, 255)} ${printable(appName, 32)}${process}: `;
  return ({ seconds }, severity) => {
    const at = new Date(seconds * 1000);
    const day = String(at.getDate()).padStart(2, ' ');
    const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map((each) => String(each).padStart(2, '0'));
    return `<${facility * 8 + severity}>${months[at.getMonth()]} ${day} ${time.join(':')} ${names}`;
  };
}

/** Printable ASCII without spaces, as the header may hold it; a hyphen for nothing. */
export const printable = (text: string, most: number): string => text.replace(/[^!-~]/g, '_').slice(0, most) || '-';

/** The name of a parameter may hold less. */
export const sdName = (text: string): string => printable(text, 32).replace(/[="\]]/g, '_');

function structuredData(records: Records, { structuredData: names, sdId }: MessageOptions) {
  if (names.length === 0) return (_index: number, into: ByteWriter) => into.text('- ');
  records.materialise();
  const id = sdName(sdId);
  return (index: number, into: ByteWriter) => {
    const fields = records.object(index);
    const parameters = names.filter((name) => Object.hasOwn(fields, name) && fields[name] !== null);
    const written = parameters.map((name) => ` ${sdName(name)}="${escaped(fields[name])}"`);
    into.text(written.length > 0 ? `[${id}${written.join('')}] ` : '- ');
  };
}

function escaped(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(/["\\\]]/g, '\\$&');
}

function line(records: Records, bom: boolean) {
  if (!bom) return (index: number, into: ByteWriter) => into.copy(records.line(index));
  // What says of itself that it is UTF-8 has to be.
  const lines = new Lines(records);
  return (index: number, into: ByteWriter) => {
    lines.at(index);
    into.copy(lines.bytes, lines.start, lines.end);
  };
}

/** Puts the length of what was written since `start`, and a space, before it. */
function count(into: ByteWriter, start: number): void {
  const digits = `${into.at - start} `;
  const bytes = into.reserve(digits.length);
  bytes.copyWithin(start + digits.length, start, into.at);
  bytes.write(digits, start, 'latin1');
  into.at += digits.length;
}

/** A line feed ends a message, so that there is none in it. */
function end(into: ByteWriter, start: number): void {
  const written = into.reserve(1).subarray(start, into.at);
  for (let at = written.indexOf(lineFeed); at >= 0; at = written.indexOf(lineFeed, at + 1)) written[at] = space;
  into.byte(lineFeed);
}
