// A sidecar's JSON log line as text for people: time, level, message, fields.

import type { Paint } from './paint.ts';

/** undefined for a line that is not one. */
export function prettyLine(line: string, paint: Paint): string | undefined {
  const event = parse(line);
  if (!event) return undefined;
  const { time, level, message, role: _, stack, ...fields } = event;
  const rest = Object.entries(fields).map(([key, value]) => paint.dim(`${key}=${written(value)}`));
  const head = [paint.dim(String(time).slice(11, 23)), paint.level(level, level.padEnd(5)), visible(message)];
  return [...head, ...rest].join(' ') + (typeof stack === 'string' ? `\n${stack}` : '');
}

type Event = { time: unknown; level: string; message: string } & Readonly<Record<string, unknown>>;

function parse(line: string): Event | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const event = JSON.parse(line) as Partial<Event>;
    return typeof event.level === 'string' && typeof event.message === 'string' ? (event as Event) : undefined;
  } catch {
    return undefined;
  }
}

const written = (value: unknown) =>
  typeof value === 'string' && /^[^\s"=\p{Cc}]+$/u.test(value) ? value : visible(JSON.stringify(value));

/** What a log line quotes may come from anywhere: it must not move the cursor. */
const visible = (text: string) => text.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
