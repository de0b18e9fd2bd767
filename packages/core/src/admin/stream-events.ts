// Server-sent events: what a listener missed since Last-Event-ID, then what happens.

import type { ServerResponse } from 'node:http';
import type { Events, SidecarEvent } from '../events.ts';
import type { AdminRequest, Reply } from './router.ts';

const bufferedBytes = 256 * 1024;
const quietMilliseconds = 15_000;

export function streamEvents({ headers, query }: AdminRequest, events: Events): Reply {
  const last = Number(headers['last-event-id'] ?? query.get('after') ?? 0);
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body: (response) => stream(response, events, Number.isFinite(last) ? last : 0),
  };
}

function stream(response: ServerResponse, events: Events, last: number): void {
  const send = (text: string) => {
    response.write(text);
    // A listener that does not read is let go: it resumes with Last-Event-ID.
    if (response.writableLength > bufferedBytes) response.destroy();
  };
  send(': events\n\n');
  for (const event of events.since(last)) send(frame(event));
  const silence = events.listen((event) => send(frame(event)));
  // Comments keep idle connections open and notice dead ones.
  const beat = setInterval(() => send(': still here\n\n'), quietMilliseconds);
  response.once('close', () => {
    clearInterval(beat);
    silence();
  });
}

const frame = ({ id, type, time, data }: SidecarEvent) =>
  `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify({ time, ...(data as object) })}\n\n`;
