// What the fuzz test once found, in its shortest form, and what became of it.

export type Regression = { readonly name: string; readonly octets: string; readonly refused: string | undefined };

const chunked = (body: string, fields = '') =>
  `POST / HTTP/1.1\r\nHost: a\r\n${fields}Transfer-Encoding: chunked\r\n\r\n${body}`;

export const regressions: readonly Regression[] = [
  { name: 'a chunk extension that has no name', octets: chunked('0;\r\n\r\n'), refused: 'chunk' },
  { name: 'a chunk extension with more after its quotes', octets: chunked('0;a="b"c\r\n\r\n'), refused: 'chunk' },
  { name: 'a chunk extension with odd octets', octets: chunked('0;a=\xe9\r\n\r\n'), refused: 'chunk' },
  { name: 'a trailer that frames', octets: chunked('0\r\nContent-Length: 1\r\n\r\n'), refused: 'trailer' },
  {
    name: 'a trailer that ends the connection',
    octets: chunked('0\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'),
    refused: 'trailer',
  },
  { name: 'the method of the preface of HTTP/2', octets: 'PRI / HTTP/1.1\r\nHost: a\r\n\r\n', refused: 'method' },
  { name: 'a tab after chunked', octets: chunked('0\r\n\r\n').replace('chunked', 'chunked\t'), refused: undefined },
  { name: 'a method that llhttp does not know', octets: 'NEW / HTTP/1.1\r\nHost: a\r\n\r\n', refused: undefined },
  {
    name: 'a request after Proxy-Connection: close',
    octets: 'GET / HTTP/1.1\r\nHost: a\r\nProxy-Connection: close\r\n\r\n'.repeat(2),
    refused: undefined,
  },
  {
    name: 'the method QUERY, whose number is out of order',
    octets: chunked('0\r\n\r\n', 'Connection: close\r\n').replace('POST', 'QUERY').repeat(2),
    refused: undefined,
  },
];
