import { expect, test } from 'vitest';
import { findProcess, nameOf } from '../../src/notifier/find-process.ts';
import type { PodProcess } from '../../src/processes.ts';

const one = (pid: number, command: string, more: Partial<PodProcess> = {}): PodProcess => ({
  pid,
  parent: 0,
  name: command.split(' ')[0]!.split('/').at(-1)!.slice(0, 15),
  command: command === '' ? [] : command.split(' '),
  container: 'app',
  startTime: pid,
  user: 1000,
  ...more,
});

test('program, kernel name and script are names; the other arguments are not', () => {
  const processes = [
    one(10, 'nginx: master process', {
      command: ['nginx: master process /usr/sbin/nginx -c /nginx.conf'],
      name: 'nginx',
    }),
    one(11, 'node /app/billing.cjs --config /etc/app.conf', { name: 'MainThread' }),
    one(12, '/usr/local/bin/prometheus-with-a-long-name'),
    one(13, '-bash'),
  ];
  expect(findProcess(processes, 'nginx').pid).toBe(10);
  expect(findProcess(processes, 'billing.cjs').pid).toBe(11);
  expect(findProcess(processes, 'prometheus-with-a-long-name').pid).toBe(12);
  expect(findProcess(processes, 'bash').pid).toBe(13);
  for (const wanted of ['app.conf', 'prom', 'billing', '--config', '/app/billing.cjs'])
    expect(() => findProcess(processes, wanted)).toThrow(`No process is "${wanted}"`);
});

test('a name that the kernel cut is the other one of two that begin alike only when nothing else is known of it', () => {
  const [server, worker] = [one(10, '/app/my-application-server'), one(11, '/app/my-application-worker')];
  expect(findProcess([server, worker], 'my-application-server')).toBe(server);
  expect(() => findProcess([worker], 'my-application-server')).toThrow('No process is "my-application-server"');
  const titled = one(12, 'ready', { name: 'my-application-' });
  expect(findProcess([titled], 'my-application-server')).toBe(titled);
});

test('a master is found among its workers, whatever their order and depth', () => {
  const processes = [one(30, 'app', { parent: 21 }), one(21, 'helper', { parent: 20 }), one(20, 'app', { parent: 1 })];
  expect(findProcess(processes, 'app').pid).toBe(20);
});

test('two unrelated processes of one name are refused, and both are named', () => {
  const processes = [one(20, 'app', { parent: 1 }), one(30, 'app', { parent: 1, container: 'other' })];
  expect(() => findProcess(processes, 'app')).toThrow(
    '"app" is not one process: app (app, pid 20), app (other, pid 30)',
  );
});

test('PID 1, this process and a zombie are never found', () => {
  const processes = [
    one(1, 'pause'),
    one(process.pid, 'pause', { parent: 1 }),
    one(40, '', { name: 'pause', parent: 1 }),
    one(41, 'node app.js --password=hunter2', { parent: 1 }),
  ];
  expect(() => findProcess(processes, 'pause')).toThrow('No process is "pause"; seen: node app.js (app, pid 41)');
});

test('no message holds arguments', () => {
  expect(nameOf(one(1, '/usr/bin/node /app/x.js --token secret'))).toBe('node x.js');
  expect(nameOf(one(1, '', { name: 'kworker' }))).toBe('kworker');
});

test('a loop of parents, as a changing table may show it, ends', () => {
  const processes = [one(20, 'app', { parent: 21 }), one(21, 'other', { parent: 22 }), one(22, 'x', { parent: 21 })];
  expect(findProcess(processes, 'app').pid).toBe(20);
});
