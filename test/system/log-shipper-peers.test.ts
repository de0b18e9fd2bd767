// The log shipper's syslog sink and real receivers: Debian's rsyslog and syslog-ng read what it sends, and write down what
// they make of it.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import {
  freePort,
  makeCertificate,
  missingPrograms,
  type Peer,
  type Scratch,
  scratch,
  startPeer,
  startSidecar,
  until,
  writeCertificate,
} from '@outrigger/core/testing';
import { afterAll, expect, test, vi } from 'vitest';

vi.setConfig({ testTimeout: 120_000 });

const main = import.meta.resolve('../../packages/log-shipper/src/main.ts');

/** As both receivers write it down. */
type Seen = Readonly<Record<'pri' | 'time' | 'host' | 'app' | 'procid' | 'msgid' | 'sd' | 'msg', string>>;
const kinds = ['pri', 'time', 'host', 'app', 'procid', 'msgid', 'sd', 'msg'] as const;

function seenIn(file: string): Seen[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Seen);
}

const texts = (file: string) => seenIn(file).map(({ msg }) => msg.replace(/^ /, ''));

async function startRsyslog(directory: Scratch, { tcp, udp }: { tcp: number; udp: number }): Promise<Peer> {
  const names = ['pri', 'timereported', 'hostname', 'app-name', 'procid', 'msgid', 'structured-data', 'msg'];
  const properties = names.map((name, at) => {
    const date = name === 'timereported' ? ' dateformat="rfc3339"' : '';
    return `property(outname="${kinds[at]}" name="${name}"${date} format="jsonf")`;
  });
  await mkdir(directory.join('rsyslog'), { recursive: true });
  const config = [
    `global(workDirectory="${directory.join('rsyslog')}" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off")`,
    'module(load="imtcp") module(load="imudp")',
    `input(type="imtcp" address="127.0.0.1" port="${tcp}")`,
    `input(type="imudp" address="127.0.0.1" port="${udp}")`,
    `template(name="seen" type="list" option.jsonf="on") { ${properties.join(' ')} }`,
    `action(type="omfile" file="${directory.join('seen')}" template="seen")`,
  ];
  await writeFile(directory.join('rsyslog.conf'), `${config.join('\n')}\n`);
  const args = ['-n', '-f', directory.join('rsyslog.conf'), '-i', directory.join('rsyslog.pid')];
  return await startPeer('rsyslogd', args, { ready: tcp });
}

async function startShipper(directory: Scratch, args: readonly string[]) {
  for (const name of ['logs', 'state']) await mkdir(directory.join(name), { recursive: true });
  const usual = ['--source-file-paths', directory.join('logs/app.log'), '--state-directory', directory.join('state')];
  return await startSidecar(main, [...usual, '--sink', 'syslog', '--sink-syslog-hostname', 'pod-1', ...args]);
}

const write = (directory: Scratch, lines: readonly string[]) =>
  appendFile(directory.join('logs/app.log'), lines.map((line) => `${line}\n`).join(''));

const numbered = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index} w\u00f6rld`);

const withoutRsyslog = missingPrograms('rsyslogd');

for (const framing of ['octet-counting', 'lf'])
  test.skipIf(withoutRsyslog !== '')(
    `rsyslog reads every message framed by ${framing}, with all its parts`,
    async () => {
      await using directory = await scratch();
      const ports = { tcp: await freePort(), udp: await freePort() };
      await using _rsyslog = await startRsyslog(directory, ports);
      const lines = [...numbered(1, 20_000), 'x'.repeat(30_000), '7 <13>1 - looks like a frame', 'last'];
      await using _shipper = await startShipper(directory, [
        ...['--sink-syslog-address', `127.0.0.1:${ports.tcp}`, '--sink-syslog-framing', framing],
        ...['--sink-syslog-app-name', 'billing', '--sink-syslog-proc-id', '42', '--sink-syslog-msg-id', 'ID47'],
        ...['--fields', 'service=a "quoted" ]\\ one', '--sink-syslog-structured-data', 'service'],
        ...['--sink-syslog-facility', 'local3', '--sink-syslog-severity', 'notice'],
      ]);
      await write(directory, lines);
      await until(() => texts(directory.join('seen')).includes('last'), { deadline: 60_000 });
      expect(texts(directory.join('seen'))).toEqual(lines);
      const [first] = seenIn(directory.join('seen'));
      expect(first).toMatchObject({
        pri: String(19 * 8 + 5),
        host: 'pod-1',
        app: 'billing',
        procid: '42',
        msgid: 'ID47',
      });
      expect(first!.sd).toBe(String.raw`[outrigger@32473 service="a \"quoted\" \]\\ one"]`);
      expect(Math.abs(Date.parse(first!.time) - Date.now())).toBeLessThan(60_000);
    },
  );

test.skipIf(withoutRsyslog !== '')('rsyslog reads datagrams, and messages of RFC 3164', async () => {
  await using directory = await scratch();
  const ports = { tcp: await freePort(), udp: await freePort() };
  await using _rsyslog = await startRsyslog(directory, ports);
  await using _shipper = await startShipper(directory, [
    ...['--sink-syslog-address', `127.0.0.1:${ports.udp}`, '--sink-syslog-transport', 'udp'],
    ...['--sink-syslog-format', 'rfc3164', '--sink-syslog-app-name', 'billing', '--sink-syslog-proc-id', '42'],
  ]);
  await write(directory, numbered(1, 100));
  await until(() => texts(directory.join('seen')).length === 100);
  expect(texts(directory.join('seen'))).toEqual(numbered(1, 100));
  expect(seenIn(directory.join('seen'))[0]).toMatchObject({ pri: '14', host: 'pod-1', app: 'billing', procid: '42' });
});

test.skipIf(withoutRsyslog !== '')(
  'a rsyslog that is killed and started again misses nothing that is sent again',
  async () => {
    await using directory = await scratch();
    const ports = { tcp: await freePort(), udp: await freePort() };
    const address = ['--sink-syslog-address', `127.0.0.1:${ports.tcp}`, '--sink-syslog-resend', '100000'];
    await using _shipper = await startShipper(directory, address);
    // A killed rsyslog leaves half a line, which is what it had in hand, and writes the next one behind it.
    const seen = directory.join('seen');
    const have = () => new Set(existsSync(seen) ? readFileSync(seen, 'utf8').match(/line \d+ w|last/g) : []);
    for (let round = 0; round < 3; round++) {
      await using rsyslog = await startRsyslog(directory, ports);
      await write(directory, numbered(round * 5000 + 1, round * 5000 + 5000));
      await until(() => have().has(`line ${round * 5000 + 100} w`));
      rsyslog.kill('SIGKILL');
      await rsyslog.exited;
    }
    await using _rsyslog = await startRsyslog(directory, ports);
    await write(directory, ['last']);
    await until(() => have().has('last') && have().size === 15_001, {
      deadline: 30_000,
      what: () => `${15_001 - have().size} more lines`,
    });
  },
);

/** Debian cannot install it beside rsyslog: its package is unpacked. */
const unpacked = await scratch();
afterAll(() => unpacked[Symbol.asyncDispose]());
const root = unpacked.join('root');
const libraries = { LD_LIBRARY_PATH: `${root}/usr/lib/syslog-ng` };
const withoutSyslogNg = unpack();

/** Why there is none; '' when there is. */
function unpack(): string {
  const run = (program: string, ...args: string[]) => {
    const env = { ...process.env, ...libraries };
    const { status, stderr, error } = spawnSync(program, args, { cwd: unpacked.path, env, encoding: 'utf8' });
    return status === 0 ? '' : `${program}: ${error?.message ?? stderr.trim()}`;
  };
  return (
    run('apt-get', 'download', '--quiet', 'syslog-ng-core') ||
    run('sh', '-c', 'dpkg -x syslog-ng-core_*.deb root') ||
    run(`${root}/usr/sbin/syslog-ng`, '--version')
  );
}

async function startSyslogNg(directory: Scratch, port: number): Promise<Peer> {
  const { certificateFile, keyFile } = await writeCertificate(directory.path, makeCertificate());
  const names = ['PRI', 'ISODATE', 'HOST', 'PROGRAM', 'PID', 'MSGID', 'SDATA', 'MSG'];
  const pairs = names.map((name, at) => `${kinds[at]}=\${${name}}`).join(' ');
  const tls = `tls(key-file("${keyFile}") cert-file("${certificateFile}") peer-verify(optional-untrusted))`;
  const config = [
    '@version: 3.38',
    'options { keep-hostname(yes); use-dns(no); log-msg-size(65536); stats-freq(0); };',
    `source s { syslog(ip("127.0.0.1") port(${port}) transport("tls") ${tls}); };`,
    `destination d { file("${directory.join('seen')}" template("$(format-json ${pairs})\\n")); };`,
    'log { source(s); destination(d); flags(flow-control); };',
  ];
  await writeFile(directory.join('syslog-ng.conf'), `${config.join('\n')}\n`);
  const files = ['-f', 'syslog-ng.conf', '-R', 'persist', '-c', 'control', '-p', 'pid'];
  const args = files.map((each, at) => (at % 2 === 1 ? directory.join(each) : each));
  return await startPeer(
    `${root}/usr/sbin/syslog-ng`,
    ['-F', '--no-caps', '--module-path', `${root}/usr/lib/syslog-ng/3.38`, ...args],
    { ready: port, env: { ...process.env, ...libraries } },
  );
}

test.skipIf(withoutSyslogNg !== '')(
  `syslog-ng reads every message by TLS${withoutSyslogNg && ` (${withoutSyslogNg})`}`,
  async () => {
    await using directory = await scratch();
    const port = await freePort();
    await using _syslogNg = await startSyslogNg(directory, port);
    const lines = [...numbered(1, 20_000), 'x'.repeat(30_000), '\u{1f600} "quoted" \\ ]', 'last'];
    await using _shipper = await startShipper(directory, [
      ...['--sink-syslog-address', `127.0.0.1:${port}`, '--sink-syslog-ca-file', directory.join('tls.crt')],
      ...['--sink-syslog-app-name', 'billing', '--sink-syslog-proc-id', '42', '--sink-syslog-msg-id', 'ID47'],
      ...['--fields', 'service=shop', '--sink-syslog-structured-data', 'service', '--sink-syslog-bom'],
    ]);
    await write(directory, lines);
    await until(() => texts(directory.join('seen')).includes('last'), { deadline: 60_000 });
    expect(texts(directory.join('seen'))).toEqual(lines);
    expect(seenIn(directory.join('seen'))[0]).toMatchObject({
      ...{ pri: '14', host: 'pod-1', app: 'billing', procid: '42', msgid: 'ID47' },
      sd: '[outrigger@32473 service="shop"]',
    });
  },
);
