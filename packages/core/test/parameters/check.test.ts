import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { expect, test } from 'vitest';
import { scratch } from '../../src/testing/scratch.ts';
import { startPeer } from '../../src/testing/start-peer.ts';
import { startSidecar } from '../../src/testing/start-sidecar.ts';

const peers = import.meta.resolve('../fixtures/peers.ts');

async function check(...args: string[]) {
  await using sidecar = await startSidecar(peers, ['--check', ...args], { wait: false });
  const { code } = await sidecar.exited;
  return { code, stdout: sidecar.stdout, stderr: sidecar.stderr };
}

async function listening(): Promise<Server & AsyncDisposable> {
  const server = createServer((socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server as Server & AsyncDisposable;
}

const portOf = (server: Server) => (server.address() as { port: number }).port;

test('peers that listen are named as reached, one line each', async () => {
  await using directory = await scratch();
  await using tcp = await listening();
  const unix = createServer();
  unix.listen(directory.join('app.sock'));
  await once(unix, 'listening');
  const target = `127.0.0.1:${portOf(tcp)}`;
  const { code, stdout } = await check(
    '--target',
    target,
    '--upstream',
    `unix:${directory.join('app.sock')}:/page`,
    '--others',
    `a=http://${target}/x`,
  );
  unix.close();
  expect(stdout).toBe(
    [
      `--upstream unix:${directory.join('app.sock')}:/page (--upstream): reached`,
      `--target ${target} (--target): reached`,
      `--others a=http://${target}/x (--others): reached`,
      'peers: all parameters are right\n',
    ].join('\n'),
  );
  expect(code).toBe(0);
});

test('the application beside may start later: that it is not there is only noted', async () => {
  const { code, stdout } = await check('--target', '127.0.0.1:1', '--upstream', 'unix:/nonexistent/app.sock');
  expect(stdout).toContain('note: --target 127.0.0.1:1 (--target): nobody listens there; it may start later\n');
  expect(stdout).toContain(
    'note: --upstream unix:/nonexistent/app.sock (--upstream): no such socket; it may start later\n',
  );
  expect(code).toBe(0);
});

test('a peer elsewhere that is not there is a problem, and an unknown name is named', async () => {
  const { code, stderr } = await check(
    '--target',
    'no-such-host.invalid:80',
    '--upstream',
    'http://me:hush@no-such-host.invalid/',
  );
  expect(code).toBe(64);
  expect(stderr).toMatch(
    /--target +no-such-host\.invalid:80 \(--target\): DNS (knows no|does not answer for) no-such-host\.invalid$/m,
  );
  expect(stderr).toMatch(/--upstream +http:\/\/\[redacted\]@no-such-host\.invalid\/ \(--upstream\): DNS /);
  expect(stderr).not.toContain('hush');
});

test('peers that do not answer are given up after three seconds, all at the same time', async () => {
  // A listener that accepts nothing: once its queue is full, whoever else connects hears nothing.
  const script =
    "require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () { console.log(this.address().port) })";
  await using deaf = await startPeer(process.execPath, ['-e', script], {
    ready: ({ stdout }) => stdout.includes('\n'),
  });
  const port = Number(deaf.stdout);
  deaf.kill('SIGSTOP');
  const queue = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  await Promise.all(queue.slice(0, 2).map((socket) => once(socket, 'connect')));
  const from = performance.now();
  const { code, stdout } = await check('--target', `127.0.0.1:${port}`, '--others', `a=http://127.0.0.1:${port}/`);
  for (const socket of queue) socket.destroy();
  deaf.kill('SIGCONT');
  expect(performance.now() - from).toBeGreaterThan(3000);
  expect(performance.now() - from).toBeLessThan(6000);
  expect(stdout.match(/no answer within 3s; it may start later/g)).toHaveLength(2);
  expect(code).toBe(0);
});

test('deprecated names are warned of', async () => {
  const { code, stdout } = await check('--to', '127.0.0.1:1');
  expect(stdout).toContain('warning: --to is deprecated; use --target\n');
  expect(code).toBe(0);
});

test('with wrong parameters nobody is connected to', async () => {
  await using tcp = await listening();
  let connected = 0;
  tcp.on('connection', () => connected++);
  const { code, stdout } = await check('--target', `127.0.0.1:${portOf(tcp)}`, '--drain-timeout', 'soon');
  expect({ code, stdout, connected }).toEqual({ code: 64, stdout: '', connected: 0 });
});

test('a printed configuration is a config file of the same values', async () => {
  await using directory = await scratch();
  await writeFile(directory.join('secret'), 'hush\n');
  const first = ['--target', '127.0.0.1:1', '--others', 'a=http://h/', '--log-level', 'debug'];
  const print = async (...args: string[]) => {
    await using sidecar = await startSidecar(peers, ['--print-config', ...args], { wait: false });
    expect((await sidecar.exited).code).toBe(0);
    return sidecar.stdout;
  };
  const printed = await print(...first, '--admin-token-file', directory.join('secret'));
  await writeFile(directory.join('printed.yaml'), printed);
  const again = await print('--config', directory.join('printed.yaml'));
  const values = (said: string) => said.split('\n').filter((line) => !line.startsWith('#'));
  // The port comes from the command line in both.
  expect(values(again)).toEqual(values(printed));
});
