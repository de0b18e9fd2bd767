// A syslog receiver, RFC 5424 over TCP or TLS with octet counting unless something else is asked for.
//
// Syslog has no acknowledgement. This is at most once after the kernel has a record: see syslog/stream.ts.

import { hostname } from 'node:os';
import {
  address,
  boolean,
  choice,
  duration,
  integer,
  list,
  ParameterProblem,
  size,
  text,
  type Values,
} from '@outrigger/core';
import { facilities, severities } from '../severity.ts';
import { defineSink, type Sink } from './sink.ts';
import { openTls, tlsParameters } from './stream/tls.ts';
import { SyslogDatagrams } from './syslog/datagrams.ts';
import { type MessageOptions, message } from './syslog/message.ts';
import { SyslogStream } from './syslog/stream.ts';

/** As RFC 5424 has the parts of a header. */
const headerName = (most: number) => ({
  pattern: new RegExp(`[!-~]{1,${most}}`),
  expected: `a word of at most ${most} ASCII characters`,
});

const parameters = {
  // Not to be reached by --check: by UDP nobody answers.
  address: address({ help: 'Where the receiver listens', example: '127.0.0.1:6514' }),
  transport: choice(['tcp', 'udp'], {
    default: 'tcp',
    help: 'How messages travel; those by UDP may be lost unnoticed',
  }),
  ...tlsParameters,
  format: choice(['rfc5424', 'rfc3164'], { default: 'rfc5424', help: 'Format of messages' }),
  framing: choice(['octet-counting', 'lf'], {
    default: 'octet-counting',
    help: 'Where a message ends: by its length, or at a line feed, which becomes a space within one',
  }),
  encoding: choice(['line', 'json'], {
    default: 'line',
    help: 'The text of a message: the line as it was, or a JSON object with all its fields',
  }),
  facility: choice(facilities, { default: 'user', help: 'Facility of all messages' }),
  severity: choice(severities, { default: 'info', help: 'Severity of records that have no level' }),
  hostname: text({ optional: true, ...headerName(255), help: 'HOSTNAME of messages, by default that of this machine' }),
  appName: text({ default: 'outrigger', ...headerName(48), help: 'APP-NAME of messages' }),
  procId: text({ default: '-', ...headerName(128), help: 'PROCID of messages' }),
  msgId: text({ default: '-', ...headerName(32), help: 'MSGID of messages' }),
  structuredData: list(text, { default: [], help: 'Fields to put into the structured data of messages' }),
  sdId: text({
    default: 'outrigger@32473',
    pattern: /[!#-<>-\\^-~]{1,32}/,
    expected: 'a word of at most 32 ASCII characters without =, ] and "',
    help: 'SD-ID that structured data is under',
  }),
  bom: boolean({ default: 'false', help: 'Whether a byte order mark says that the text is UTF-8' }),
  datagramLimit: size({ default: '2KiB', min: '480B', max: '65507B', help: 'Where messages by UDP are cut off' }),
  resend: integer({
    default: '0',
    min: 0,
    max: 100_000,
    help: 'How many of the last records to send again when a connection was lost, since nobody knows whether they arrived',
  }),
  connectTimeout: duration({ default: '5s', min: '10ms', help: 'For how long to wait for a connection' }),
  writeTimeout: duration({
    default: '1m',
    min: '10ms',
    help: 'For how long the receiver may take to read a batch before it is sent again over a new connection',
  }),
  connectionAge: duration({
    default: '10m',
    min: '10ms',
    help: 'After how long a connection is replaced by a new one, which follows changed names',
  }),
};

/** Of RFC 3164, which has the name there. */
const longestTag = 32;

type Given = Values<typeof parameters>;

export const syslog = defineSink({
  summary: 'A syslog receiver, such as rsyslog or syslog-ng, by TCP, TLS or UDP',
  parameters,

  async open(given, { log }): Promise<Sink> {
    const { address: peer, transport, datagramLimit, writeTimeout } = given;
    if (given.format === 'rfc3164' && given.appName.length > longestTag)
      throw new ParameterProblem('sinkSyslogAppName', `at most ${longestTag} characters are expected with rfc3164`);
    const encoding = message(optionsOf(given));
    if (transport === 'udp') {
      const cut = () => log.warn('Messages are longer than a datagram may be, and are cut', { limit: datagramLimit });
      const datagrams = new SyslogDatagrams({ ...peer, limit: datagramLimit, cut });
      return {
        encoding,
        timeout: writeTimeout,
        write: (batch, signal) => datagrams.write(batch, signal),
        close: () => datagrams.close(),
      };
    }
    const tls = await openTls(given, { log, prefix: 'sinkSyslog' });
    const stream = new SyslogStream({ ...given, peer, tls });
    return {
      encoding,
      timeout: writeTimeout,
      write: (batch, signal) => stream.write(batch, signal),
      async close() {
        stream.end();
        await tls?.[Symbol.asyncDispose]();
      },
    };
  },
});

const optionsOf = (given: Given): MessageOptions => ({
  ...given,
  framing: given.transport === 'udp' ? 'none' : given.framing,
  hostname: given.hostname ?? hostname(),
  facility: facilities.indexOf(given.facility),
  severity: severities.indexOf(given.severity),
});
