// A Forward receiver that acknowledges what it gets, and remembers the lines.

import { FluentServer } from '@fluent-org/logger';

export type Receiver = AsyncDisposable & {
  readonly port: number;
  readonly lines: ReadonlySet<string>;
};

class Server extends FluentServer {
  readonly lines = new Set<string>();

  protected override onEntry(_tag: string, _time: unknown, record: { readonly log?: unknown }): void {
    this.lines.add(String(record.log));
  }
}

export async function openReceiver(host = '127.0.0.1'): Promise<Receiver> {
  const server = new Server({ listenOptions: { host, port: 0 } });
  await server.listen();
  return {
    port: server.port!,
    lines: server.lines,
    [Symbol.asyncDispose]: () => server.close(),
  };
}
