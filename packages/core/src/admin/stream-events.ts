// Server-sent events: what a listener missed since Last-Event-ID, then what happens.

import type { Context } from 'hono';
import type { Events, SidecarEvent } from '../events.ts';

const queued = 1024;
const quietMilliseconds = 15_000;

export function streamEvents(context: Context, events: Events): Response {
  const last = Number(context.req.header('last-event-id') ?? context.req.query('after') ?? 0);
  const encoder = new TextEncoder();
  let stop: () => void = () => undefined;
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const send = (text: string) => {
          // A listener that does not read is let go: it resumes with Last-Event-ID.
          if ((controller.desiredSize ?? 0) <= 0) {
            stop();
            return controller.close();
          }
          controller.enqueue(encoder.encode(text));
        };
        // Comments keep idle connections open and notice dead ones.
        const beat = setInterval(() => send(': still here\n\n'), quietMilliseconds);
        beat.unref();
        const silence = events.listen((event) => send(frame(event)));
        stop = () => {
          clearInterval(beat);
          silence();
        };
        send(': events\n\n');
        for (const event of events.since(Number.isFinite(last) ? last : 0)) send(frame(event));
      },
      cancel: () => stop(),
    },
    { highWaterMark: queued },
  );
  return context.body(body, 200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
}

const frame = ({ id, type, time, data }: SidecarEvent) =>
  `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify({ time, ...(data as object) })}\n\n`;
