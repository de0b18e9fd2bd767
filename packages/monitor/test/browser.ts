// A page in a real browser, over the DevTools protocol.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { scratch } from '@outrigger/core/testing';

export const browser = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((directory) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(directory, name)))
  .find((path) => existsSync(path));

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-port=0',
];

export type Page = AsyncDisposable & {
  /** The value of an expression in the page. */
  evaluate<T>(expression: string): Promise<T>;
  /** What the browser complained about: exceptions, refused scripts and styles. */
  readonly complaints: string[];
};

export async function openPage(url: string): Promise<Page> {
  const stack = new AsyncDisposableStack();
  const profile = stack.use(await scratch());
  const child = spawn(browser!, [...flags, `--user-data-dir=${profile.path}`, 'about:blank'], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  stack.defer(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    // The browser is many processes, in a group of their own.
    process.kill(-child.pid!, 'SIGKILL');
    await once(child, 'exit');
  });
  let said = '';
  for await (const chunk of child.stderr!) {
    said += chunk;
    if (/DevTools listening on ws:\S+/.test(said)) break;
  }
  const socket = new WebSocket(/DevTools listening on (ws:\S+)/.exec(said)![1]!);
  await once(socket, 'open');
  const page = await attach(socket, url);
  return { ...page, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

type Message = { id?: number; method?: string; result?: unknown; error?: object; params?: unknown };

async function attach(socket: WebSocket, url: string): Promise<Omit<Page, typeof Symbol.asyncDispose>> {
  const complaints: string[] = [];
  const waiting = new Map<number, (message: Message) => void>();
  let sessionId: string | undefined;
  let last = 0;
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    waiting.get(message.id ?? 0)?.(message);
    if (message.method === 'Log.entryAdded' || message.method === 'Runtime.exceptionThrown')
      complaints.push(JSON.stringify(message.params));
  });
  const send = <T>(method: string, params: object = {}) =>
    new Promise<T>((resolve, reject) => {
      const id = ++last;
      waiting.set(id, ({ result, error }) => (error ? reject(new Error(JSON.stringify(error))) : resolve(result as T)));
      socket.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }));
    });
  const { targetId } = await send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' });
  ({ sessionId } = await send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true }));
  await send('Log.enable');
  await send('Runtime.enable');
  await send('Page.navigate', { url });
  return {
    complaints,
    evaluate: async <T>(expression: string) =>
      (await send<{ result: { value: T } }>('Runtime.evaluate', { expression, returnByValue: true })).result.value,
  };
}
