import { describe, expect, test } from 'vitest';
import { Attribution } from '../src/attribute.ts';
import type { Measured, Sample } from '../src/sample.ts';

const measured = (pid: number, rest: Partial<Measured> = {}): Measured => ({
  pid,
  parent: 1,
  name: 'app',
  command: ['/usr/bin/app', '--password=secret'],
  container: 'billing',
  startTime: 100,
  user: 1000,
  state: 'S',
  cpu: 0,
  childrenCpu: 0,
  threads: 1,
  resident: 1024,
  cgroup: '0::/a\n',
  memory: 1024,
  memoryKind: 'pss',
  ...rest,
});

const sample = (seconds: number, ...processes: Measured[]): Sample => ({
  time: new Date(seconds * 1000),
  at: seconds * 1000,
  took: 1,
  processes,
});

const open = () => new Attribution({ showArguments: false });
const shares = ({ processes }: { processes: readonly { pid: number; cpu: number }[] }) =>
  Object.fromEntries(processes.map(({ pid, cpu }) => [pid, cpu]));

describe('CPU shares', () => {
  test('the first sample knows none, and counts nothing of what was used before it', () => {
    const first = open().next(sample(1, measured(7, { cpu: 500 })));
    expect(first.interval).toBe(0);
    expect(first.containers).toMatchObject([{ cpu: 0, cpuSeconds: 0 }]);
    expect(shares(first)).toEqual({ 7: 0 });
  });

  test('are the CPU time used in the interval over its length', () => {
    const attribution = open();
    attribution.next(sample(1, measured(7, { cpu: 500 }), measured(8, { cpu: 10 })));
    const next = attribution.next(sample(5, measured(7, { cpu: 501 }), measured(8, { cpu: 18 })));
    expect(next.interval).toBe(4);
    expect(shares(next)).toEqual({ 7: 0.25, 8: 2 });
    expect(next.containers).toMatchObject([{ name: 'billing', cpu: 2.25, cpuSeconds: 9, processes: 2, memory: 2048 }]);
  });

  test('a process that came since the last sample has used all it has in the interval', () => {
    const attribution = open();
    attribution.next(sample(1));
    expect(shares(attribution.next(sample(2, measured(7, { cpu: 0.5 }))))).toEqual({ 7: 0.5 });
  });

  test('a pid used again is another process', () => {
    const attribution = open();
    attribution.next(sample(1, measured(7, { cpu: 500 })));
    expect(shares(attribution.next(sample(2, measured(7, { cpu: 0.25, startTime: 900 }))))).toEqual({ 7: 0.25 });
  });

  test('a counter that goes back is no share below zero', () => {
    const attribution = open();
    attribution.next(sample(1, measured(7, { cpu: 5 })));
    expect(shares(attribution.next(sample(2, measured(7, { cpu: 4 }))))).toEqual({ 7: 0 });
  });
});

describe('CPU time of a container', () => {
  test('holds children that came and went between two samples', () => {
    const attribution = open();
    attribution.next(sample(1, measured(7)));
    expect(attribution.next(sample(2, measured(7, { childrenCpu: 0.75 }))).containers[0]?.cpuSeconds).toBe(0.75);
  });

  test('counts a child once that was seen alive and then handed its time to its parent', () => {
    const attribution = open();
    attribution.next(sample(1, measured(7)));
    attribution.next(sample(2, measured(7), measured(8, { parent: 7, cpu: 0.5 })));
    const ended = attribution.next(sample(3, measured(7, { childrenCpu: 0.6 })));
    expect(ended.containers[0]?.cpuSeconds).toBe(0.6);
  });

  test('counts once what a grandchild handed up through a parent that has ended too', () => {
    const attribution = open();
    attribution.next(sample(1, measured(7)));
    attribution.next(sample(2, measured(7), measured(8, { parent: 7, cpu: 1 }), measured(9, { parent: 8, cpu: 2 })));
    const ended = attribution.next(sample(3, measured(7, { childrenCpu: 3.5 })));
    expect(ended.containers[0]?.cpuSeconds).toBe(3.5);
  });

  test('goes on where it was when a container of that name is back', () => {
    const attribution = open();
    attribution.next(sample(1, measured(7)));
    attribution.next(sample(2, measured(7, { cpu: 1 })));
    expect(attribution.next(sample(3)).containers).toEqual([]);
    expect(attribution.next(sample(4, measured(9, { cpu: 2 }))).containers[0]?.cpuSeconds).toBe(3);
  });

  test('parents in a circle, as used-again pids can make them, end', () => {
    const attribution = open();
    attribution.next(sample(1, measured(7, { parent: 8 }), measured(8, { parent: 7 })));
    expect(attribution.next(sample(2)).containers).toEqual([]);
  });
});

describe('what is shown of a process', () => {
  const shown = (command: string[], showArguments = false) =>
    new Attribution({ showArguments }).next(sample(1, measured(7, { command }))).processes[0];

  test('is the program without its arguments, unless they are asked for', () => {
    expect(shown(['/usr/bin/app', '--password=secret'])).toMatchObject({ program: '/usr/bin/app' });
    expect(JSON.stringify(shown(['/usr/bin/app', '--password=secret']))).not.toContain('secret');
    expect(shown(['/usr/bin/app', '--password=secret'], true)).toMatchObject({ arguments: ['--password=secret'] });
  });

  test('is the first word of a title that the program wrote over its name', () => {
    expect(shown(['nginx: master process /usr/sbin/nginx -g secret'])).toMatchObject({ program: 'nginx' });
    expect(shown(['/opt/chrome --token=secret --type=zygote'])).toMatchObject({ program: '/opt/chrome' });
    expect(shown([])).toMatchObject({ program: '' });
  });
});

test('processes of one control group alone mean that the process namespace is not shared', () => {
  const own = measured(process.pid, { cgroup: '0::/\n' });
  expect(open().next(sample(1, own, measured(1, { cgroup: '0::/\n' }))).shared).toBe(false);
  expect(open().next(sample(1, own, measured(1, { cgroup: '0::/../pause\n' }))).shared).toBe(true);
});
