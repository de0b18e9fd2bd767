// Chunked bodies and what must become of them.

export type BadBody = {
  /** In the list of bad inputs; see ../bad-inputs/rows.test.ts. */
  readonly row: number;
  readonly name: string;
  readonly body: string;
  readonly status: number;
  readonly reason: string;
};

const refused = (row: number, status: number, reason: string, bodies: Readonly<Record<string, string>>): BadBody[] =>
  Object.entries(bodies).map(([name, body]) => ({ row, name, body, status, reason }));
const last = '0\r\n\r\n';
const extended = (extension: string) => `5${extension}\r\nhello\r\n${last}`;

export const badBodies: readonly BadBody[] = [
  ...refused(14, 400, 'chunk', {
    '0x before the size': `0x5\r\nhello\r\n${last}`,
    'a sign': `+5\r\nhello\r\n${last}`,
    'a space after the size': `5 \r\nhello\r\n${last}`,
    'a space before the size': ` 5\r\nhello\r\n${last}`,
    'a tab after the size': `5\t;x\r\nhello\r\n${last}`,
    'an underscore': `1_0\r\nhello\r\n${last}`,
    'no size': `\r\nhello\r\n${last}`,
    'an extension without size': `;x\r\nhello\r\n${last}`,
    'a negative size': '-1\r\n\r\n',
    'a size beyond 2^53': '20000000000005\r\nhello',
    'a size beyond 2^64': '10000000000000005\r\nhello',
    'no end after the data': `5\r\nhello${last}`,
    'more data than said': `5\r\nhello!\r\n${last}`,
  }),
  ...refused(13, 400, 'chunk', {
    'LF alone after the size': `5\nhello\r\n${last}`,
    'CR without LF after the size': `5\rXhello\r\n${last}`,
    'LF alone after the data': `5\r\nhello\n${last}`,
    'LF alone in an extension': `5;x\nhello\r\n${last}`,
    'CR in an extension': `5;x\ry\r\nhello\r\n${last}`,
    'CR without LF after an extension': `5;x\rhello\r\n${last}`,
  }),
  ...refused(15, 400, 'chunk', {
    'a NUL in an extension': extended(';\0'),
    'an extension without name': extended(';'),
    'a second extension without name': extended(';x;'),
    'an extension with a value but no name': extended(';=y'),
    'an extension with = and no value': extended(';x='),
    'a space before the name of an extension': extended('; x'),
    'a space in the name of an extension': extended(';x y'),
    'a space in the value of an extension': extended(';x=y z'),
    'a quoted name of an extension': extended(';"x"'),
    'a quoted value without end': extended(';x="y'),
    'more after a quoted value': extended(';x="y"z'),
    'a control character in a quoted value': extended(';x="\x01"'),
    'an octet above ASCII in the value of an extension': extended(';x=\xe9'),
  }),
  ...refused(15, 413, 'chunk_extension', {
    'a long extension': extended(`;${'x'.repeat(5_000)}`),
    'a long quoted value': extended(`;x="${'y'.repeat(5_000)}"`),
  }),
  ...refused(16, 400, 'trailer', {
    'Content-Length in the trailers': `5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n`,
    'Connection in the trailers': '0\r\nconnection: close\r\n\r\n',
    'Transfer-Encoding in the trailers': `0\r\nX: y\r\ntransfer-encoding: chunked\r\n\r\n`,
  }),
  ...refused(11, 400, 'field_name', { 'a space before the colon of a trailer': '0\r\nX : y\r\n\r\n' }),
  ...refused(10, 400, 'folding', { 'a folded trailer': '0\r\nX: y\r\n z\r\n\r\n' }),
  ...refused(13, 400, 'bare_line_feed', { 'LF alone after a trailer': '0\r\nX: y\n\r\n' }),
  ...refused(13, 400, 'bare_carriage_return', { 'CR and another octet after the trailers': '0\r\n\rX' }),
  ...refused(16, 431, 'trailer_length', { 'long trailers': `0\r\nX: ${'y'.repeat(9_000)}\r\n\r\n` }),
  ...refused(16, 431, 'field_count', { 'a hundred and one trailers': `0\r\n${'X: y\r\n'.repeat(101)}\r\n` }),
];

export const goodExtensions = [';x', ';x=y', ';x="y"', ';x="y z;\\"\\\\\t\xe9"', ';x;y=z;w=""'] as const;
