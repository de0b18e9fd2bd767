// Why a message is refused. The reason is stable: it is the label of a metric and the `reason` of the answer.

export type Refusal = { readonly status: number; readonly reason: string; readonly detail: string };

const refusal = (status: number, reason: string, detail: string): Refusal => ({ status, reason, detail });

/** Shared by requests and responses (where any of them becomes a 502). */
export const refusals = {
  requestLine: refusal(400, 'request_line', 'The request line is malformed'),
  statusLine: refusal(502, 'status_line', 'The status line is malformed'),
  version: refusal(505, 'version', 'Only HTTP/1.1 and HTTP/1.0 are spoken here'),
  target: refusal(400, 'target', 'The request target is malformed'),
  targetHost: refusal(400, 'target_host', 'The request target and the Host field name different hosts'),
  targetLength: refusal(414, 'target_length', 'The request target is too long'),
  headLength: refusal(431, 'head_length', 'The header section is too large'),
  fieldCount: refusal(431, 'field_count', 'The header section has too many fields'),
  connectionOptions: refusal(431, 'connection_options', 'The Connection field names too many fields'),
  fieldName: refusal(400, 'field_name', 'A field name is malformed'),
  fieldValue: refusal(400, 'field_value', 'A field value holds a character that is not allowed'),
  folding: refusal(400, 'folding', 'A field line starts with white space'),
  bareLineFeed: refusal(400, 'bare_line_feed', 'A line ends with LF alone'),
  bareCarriageReturn: refusal(400, 'bare_carriage_return', 'A line holds CR without LF'),
  host: refusal(400, 'host', 'Exactly one valid Host field is expected'),
  contentLength: refusal(400, 'content_length', 'Content-Length is malformed or repeated'),
  repeatedLength: refusal(400, 'content_length', 'Content-Length is repeated'),
  transferEncoding: refusal(400, 'transfer_encoding', 'Transfer-Encoding is malformed or repeated'),
  transferCoding: refusal(501, 'transfer_coding', 'No transfer coding but chunked is understood'),
  ambiguousLength: refusal(400, 'ambiguous_length', 'Content-Length and Transfer-Encoding contradict each other'),
  unexpectedBody: refusal(400, 'unexpected_body', 'This method has no body here'),
  expectation: refusal(417, 'expectation', 'No expectation but 100-continue is understood'),
  method: refusal(405, 'method', 'This method is not allowed here'),
  chunk: refusal(400, 'chunk', 'The chunked body is malformed'),
  chunkExtension: refusal(413, 'chunk_extension', 'The chunk extensions are too large'),
  trailer: refusal(400, 'trailer', 'A trailer holds what belongs into the head'),
  trailerLength: refusal(431, 'trailer_length', 'The trailer section is too large'),
  bodyLength: refusal(413, 'body_length', 'The body is too large'),
  headTimeout: refusal(408, 'head_timeout', 'The request did not arrive in time'),
  bodyTimeout: refusal(408, 'body_timeout', 'The body did not arrive in time'),
  plainHttp: refusal(400, 'plain_http', 'Plain HTTP was sent to the port of HTTPS'),
  memory: refusal(503, 'memory', 'The proxy is short of memory; try again'),
} as const satisfies Record<string, Refusal>;

/** Suspect, but of one meaning only: these are what --strictness observe lets through. */
export const observable: ReadonlySet<Refusal> = new Set([
  refusals.target,
  refusals.targetHost,
  refusals.repeatedLength,
  refusals.unexpectedBody,
  refusals.expectation,
]);

/** @param reason stable, as all are. */
export const certificateRefusal = (reason: string): Refusal =>
  refusal(403, reason, 'The certificate of the client is not accepted');
