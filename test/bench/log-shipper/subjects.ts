// The shippers that stand beside each other, each as its own documentation advises for throughput without loss, on one core.
// Those that speak no Forward send lines over TCP: no acknowledgement, less work.

import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { freePort } from '@outrigger/core/testing';
import type { Command, Environment } from '../proxy/machine.ts';

export type Work = 'raw' | 'json' | 'bulk' | 'cri';
export type ReceiverKind = 'forward' | 'tcp' | 'bulk';

export type Place = {
  readonly directory: string;
  /** What is to be shipped; may hold a wildcard. */
  readonly files: string;
  readonly work: Work;
  readonly port: number;
};

export type Subject = {
  readonly name: string;
  readonly version: Command;
  /** Where it sends a kind of work; undefined where it cannot do it. */
  readonly receiver: (work: Work) => ReceiverKind | undefined;
  readonly configure: (place: Place) => Promise<{ command: Command; env?: Environment }>;
  readonly found: () => boolean;
};

export const ownName = 'outrigger';

const bundle = resolve(import.meta.dirname, '../../../packages/log-shipper/dist/main.mjs');

const own: Subject = {
  name: ownName,
  version: [bundle, '--version'],
  found: () => existsSync(bundle),
  receiver: (work) => (work === 'bulk' ? 'bulk' : 'forward'),
  async configure({ directory, files, work, port }) {
    const state = `${directory}/state`;
    await mkdir(state, { recursive: true });
    const source = work === 'cri' ? 'cri' : 'file';
    const sink =
      work === 'bulk'
        ? ['--sink', 'elasticsearch', '--sink-elasticsearch-url', `http://127.0.0.1:${port}`]
        : ['--sink', 'forward', '--sink-forward-address', `127.0.0.1:${port}`];
    const command: Command = [
      ...([bundle, '--state-directory', state, '--source', source, `--source-${source}-paths`, files] as const),
      ...(work === 'json' || work === 'bulk' ? ['--parser', 'json'] : []),
      ...sink,
      ...['--admin-address', `127.0.0.1:${await freePort()}`, '--log-level', 'warn'],
    ];
    return { command, env: { PATH: `${dirname(process.execPath)}:${process.env.PATH}` } };
  },
};

const onPath = (program: string) => () =>
  (process.env.PATH ?? '').split(':').some((directory) => existsSync(`${directory}/${program}`));

const rsyslog: Subject = {
  name: 'rsyslog',
  version: ['rsyslogd', '-v'],
  found: onPath('rsyslogd'),
  receiver: (work) => (work === 'cri' ? undefined : work === 'bulk' ? 'bulk' : 'tcp'),
  async configure({ directory, files, work, port }) {
    await mkdir(`${directory}/rsyslog`, { recursive: true });
    const json = work !== 'raw';
    const template = json
      ? 'template(name="out" type="list") { property(name="$!all-json-plain") }'
      : 'template(name="out" type="string" string="%msg%\\n")';
    const lines = json
      ? 'template(name="line" type="list") { property(name="$!all-json-plain") constant(value="\\n") }'
      : '';
    const forward = `action(type="omfwd" target="127.0.0.1" port="${port}" protocol="tcp" template="${json ? 'line' : 'out'}" action.resumeRetryCount="-1")`;
    const bulk = `action(type="omelasticsearch" server="127.0.0.1" serverport="${port}" template="out" searchIndex="logs" searchType="" bulkmode="on" maxbytes="1m" action.resumeRetryCount="-1")`;
    const config = [
      `global(workDirectory="${directory}/rsyslog" maxMessageSize="64k")`,
      'main_queue(queue.type="FixedArray" queue.size="100000" queue.dequeueBatchSize="4096" queue.workerThreads="1")',
      'module(load="imfile" mode="inotify")',
      ...(json ? ['module(load="mmjsonparse")'] : []),
      ...(work === 'bulk' ? ['module(load="omelasticsearch")'] : []),
      template,
      lines,
      `input(type="imfile" File="${files}" Tag="app" addMetadata="off" readTimeout="0" ruleset="ship")`,
      'ruleset(name="ship") {',
      ...(json ? ['  action(type="mmjsonparse" cookie="")'] : []),
      `  ${work === 'bulk' ? bulk : forward}`,
      '}',
    ];
    const file = `${directory}/rsyslog.conf`;
    await writeFile(file, `${config.join('\n')}\n`);
    return { command: ['rsyslogd', '-n', '-f', file, '-i', `${directory}/rsyslog.pid`] };
  },
};

/** Where its package was unpacked: it cannot be installed beside rsyslog. */
const unpacked = process.env.BENCH_SYSLOG_NG;

const syslogNg: Subject = {
  name: 'syslog-ng',
  version: [unpacked ? `${unpacked}/usr/sbin/syslog-ng` : 'syslog-ng', '--version'],
  found: () => (unpacked ? existsSync(`${unpacked}/usr/sbin/syslog-ng`) : onPath('syslog-ng')()),
  receiver: (work) => (work === 'cri' ? undefined : work === 'bulk' ? 'bulk' : 'tcp'),
  async configure({ directory, files, work, port }) {
    const state = `${directory}/syslog-ng`;
    await mkdir(state, { recursive: true });
    const json = work !== 'raw';
    const slash = files.lastIndexOf('/');
    const batch = 'batch-lines(4000) batch-bytes(1024Kb) batch-timeout(100)';
    const sink =
      work === 'bulk'
        ? `http(url("http://127.0.0.1:${port}/_bulk") method("POST") headers("Content-Type: application/x-ndjson") body("{\\"create\\":{\\"_index\\":\\"logs\\"}}\\n$(format-json --key j.* --rekey j.* --shift 2)\\n") ${batch} workers(1))`
        : `network("127.0.0.1" port(${port}) transport("tcp") template("${json ? '$(format-json --key j.* --rekey j.* --shift 2)' : '$MSG'}\\n") flags(no-multi-line))`;
    const config = [
      '@version: 3.38',
      'options { stats-freq(0); log-fifo-size(200000); flush-lines(1000); keep-hostname(yes); use-dns(no); dns-cache(no); };',
      `source s { wildcard-file(base-dir("${files.slice(0, slash)}") filename-pattern("${files.slice(slash + 1)}") follow-freq(0.1) flags(no-parse) log-iw-size(100000) log-fetch-limit(1000)); };`,
      ...(json ? ['parser p { json-parser(prefix("j.")); };'] : []),
      `destination d { ${sink}; };`,
      `log { source(s); ${json ? 'parser(p); ' : ''}destination(d); flags(flow-control); };`,
    ];
    const file = `${directory}/syslog-ng.conf`;
    await writeFile(file, `${config.join('\n')}\n`);
    const [modules] = unpacked ? [`${unpacked}/usr/lib/syslog-ng/3.38`] : [undefined];
    const command: Command = [
      ...([unpacked ? `${unpacked}/usr/sbin/syslog-ng` : 'syslog-ng', '-F', '--no-caps', '-f', file] as const),
      ...['-R', `${state}/persist`, '-c', `${state}/control`, '-p', `${state}/pid`],
      ...(modules ? ['--module-path', modules] : []),
    ];
    return {
      command,
      ...(unpacked && { env: { LD_LIBRARY_PATH: `${unpacked}/usr/lib/syslog-ng` } }),
    };
  },
};

const fluentBit: Subject = {
  name: 'fluent-bit',
  version: ['fluent-bit', '--version'],
  found: onPath('fluent-bit'),
  receiver: (work) => (work === 'bulk' ? 'bulk' : 'forward'),
  async configure({ directory, files, work, port }) {
    await writeFile(`${directory}/parsers.conf`, '[PARSER]\n  Name json\n  Format json\n');
    const parser = { raw: '', json: '  Parser json\n', bulk: '  Parser json\n', cri: '  multiline.parser cri\n' }[work];
    const output =
      work === 'bulk'
        ? `  Name es\n  Match *\n  Host 127.0.0.1\n  Port ${port}\n  Index logs\n  Suppress_Type_Name On\n  compress gzip\n`
        : `  Name forward\n  Match *\n  Host 127.0.0.1\n  Port ${port}\n  Require_ack_response true\n`;
    const config = `[SERVICE]\n  Flush 0.1\n  Grace 5\n  Parsers_File ${directory}/parsers.conf\n  storage.path ${directory}/storage\n[INPUT]\n  Name tail\n  Path ${files}\n  Refresh_Interval 1\n  Read_from_Head true\n  DB ${directory}/tail.db\n  Buffer_Chunk_Size 1M\n  Buffer_Max_Size 2M\n  storage.type filesystem\n${parser}[OUTPUT]\n${output}  Retry_Limit no_limits\n`;
    await writeFile(`${directory}/fluent-bit.conf`, config);
    return { command: ['fluent-bit', '-q', '-c', `${directory}/fluent-bit.conf`] };
  },
};

export const subjects: readonly Subject[] = [own, rsyslog, syslogNg, fluentBit];
