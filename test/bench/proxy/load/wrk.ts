// wrk: as many requests as there are answers, over connections that are kept.

import { writeFile } from 'node:fs/promises';
import { type Command, generate } from '../machine.ts';
import { type Path, uploadPath } from '../origin.ts';
import { answerSize } from './answer-size.ts';
import { type Latency, type Load, schemeOf, wholeSeconds } from './load.ts';

type Request = { readonly get: Path } | { readonly post: number };

type Summary = {
  readonly requests: number;
  readonly bytes: number;
  readonly errors: Readonly<Record<'connect' | 'read' | 'write' | 'status' | 'timeout', number>>;
  readonly p50: number;
  readonly p99: number;
};

const connections = 64;
const contentType = 'application/octet-stream';

/** Takes the size of the body to post, 0 for GET. */
const script = `
function init(args)
  local size = tonumber(args[1])
  if size > 0 then
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "${contentType}"
    wrk.body = string.rep("x", size)
  end
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%d,"bytes":%d,"p50":%f,"p99":%f,"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}}\\n',
    summary.requests, summary.bytes, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    e.connect, e.read, e.write, e.status, e.timeout))
end
`;

export function wrk(request: Request): Load {
  return async (target, span) => {
    const file = target.directory.join('wrk.lua');
    await writeFile(file, script);
    const asks = askFor(request, target.port);
    const size = await answerSize(target, asks.octets);
    const command: Command = [
      ...(['wrk', '-t1', `-c${connections}`, `-d${wholeSeconds(span)}s`, '--timeout', '10s', '-s', file] as const),
      ...[`${schemeOf(target)}://127.0.0.1:${target.port}${asks.path}`, '--', String(asks.body)],
    ];
    return { over: generate(command).then((output) => latencyOf(output, size)) };
  };
}

function latencyOf(output: string, size: number): Latency {
  const [line = 'null'] = /^\{.*\}$/m.exec(output) ?? [];
  const summary = JSON.parse(line) as Summary | null;
  if (!summary || !isClean(summary, size)) throw new Error(`Not everything was answered as it should be:\n${output}`);
  return { p50: summary.p50, p99: summary.p99 };
}

/** The end may cut one answer of each connection. */
function isClean({ requests, bytes, errors }: Summary, size: number): boolean {
  const rest = bytes - requests * size;
  const hasErrors = Object.values(errors).some((count) => count > 0);
  return requests > 0 && !hasErrors && rest >= 0 && rest <= connections * size;
}

/** What wrk sends. */
function askFor(request: Request, port: number) {
  const host = `Host: 127.0.0.1:${port}`;
  if ('get' in request) return { path: request.get, body: 0, octets: `GET ${request.get} HTTP/1.1\r\n${host}\r\n\r\n` };
  const fields = `${host}\r\nContent-Type: ${contentType}\r\nContent-Length: ${request.post}`;
  const octets = `POST ${uploadPath} HTTP/1.1\r\n${fields}\r\n\r\n${'x'.repeat(request.post)}`;
  return { path: uploadPath, body: request.post, octets };
}
