// What an application may send that is no response, or none to this request. Its client gets 502.

export type BadAnswer = { readonly row: number; readonly name: string; readonly answer: string };

const refused = (row: number, answers: Readonly<Record<string, string>>): BadAnswer[] =>
  Object.entries(answers).map(([name, answer]) => ({ row, name, answer }));
const ok = 'HTTP/1.1 200 OK\r\n';

export const badAnswers: readonly BadAnswer[] = [
  ...refused(29, {
    'a switch of protocols that nobody asked for': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n',
  }),
  ...refused(41, {
    'another protocol': 'SSH-2.0-OpenSSH_9.2\r\n\r\n',
    'HTTP/2': 'HTTP/2 200\r\n\r\n',
    'no status': 'HTTP/1.1 OK\r\n\r\n',
    'a status of four digits': 'HTTP/1.1 2000 OK\r\n\r\n',
    'a status above 599': 'HTTP/1.1 600 Odd\r\n\r\n',
    'LF alone': 'HTTP/1.1 200 OK\nContent-Length: 0\n\n',
    'a space before a colon': `${ok}X : a\r\n\r\n`,
    'a folded field': `${ok}X: a\r\n b\r\n\r\n`,
    'length and chunks': `${ok}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
    'two lengths': `${ok}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`,
    'an unknown coding': `${ok}Transfer-Encoding: gzip\r\n\r\n`,
    'chunks in HTTP/1.0': 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/0.9': '<html>hello</html>\r\n',
  }),
  ...refused(44, {
    'a head beyond the limit': `${ok}X: ${'y'.repeat(70_000)}\r\n\r\n`,
    'a head of too many fields': `${ok}${'X: y\r\n'.repeat(101)}\r\n`,
    'eleven interim responses': 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(11),
  }),
  ...refused(46, {
    'CR in a field': `${ok}X: a\rSet-Cookie: b\r\n\r\n`,
    'LF in a field': `${ok}X: a\nSet-Cookie: b\r\n\r\n`,
    'a NUL in a field': `${ok}X: a\0b\r\n\r\n`,
    'a control character in a field': `${ok}X: \x01\r\n\r\n`,
    'a control character in the reason': 'HTTP/1.1 200 O\x01K\r\n\r\n',
    'a field without name': `${ok}: a\r\n\r\n`,
  }),
];
