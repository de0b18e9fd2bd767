import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { ProcessTable } from '../src/processes.ts';
import { scratch } from '../src/testing/scratch.ts';
import { until } from '../src/testing/until.ts';

const listProcesses = () => new ProcessTable().scan();

const onLinux = existsSync('/proc/self/stat');
const asRoot = process.getuid?.() === 0;
const podId = process.env.OUTRIGGER_POD_ID;

afterEach(() => {
  if (podId === undefined) delete process.env.OUTRIGGER_POD_ID;
  else process.env.OUTRIGGER_POD_ID = podId;
});

/** A child that lives until the end of the test, however that ends. */
function run(program: string, args: readonly string[], options: { env?: NodeJS.ProcessEnv; uid?: number } = {}) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], ...options });
  return Object.assign(child, {
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  });
}

/** Until the child is the program it was told to become: spawn answers before that. */
const seen = ({ pid }: ChildProcess, is: (name: string, command: readonly string[]) => boolean) =>
  until(async () => (await listProcesses()).find((each) => each.pid === pid && is(each.name, each.command)), {
    what: `process ${pid} to be listed`,
  });

describe.runIf(onLinux)('processes of this machine', () => {
  test('this process is listed with its parent, program, user and start', async () => {
    delete process.env.OUTRIGGER_POD_ID;
    const self = (await listProcesses()).find(({ pid }) => pid === process.pid);
    expect(self).toMatchObject({ parent: process.ppid, user: process.getuid?.() });
    expect(self?.command.length).toBeGreaterThan(0);
    expect(self?.startTime).toBeGreaterThan(0);
    expect(self?.name).not.toBe('');
  });

  test('a name with parentheses, spaces, a line break and tags is read whole', async () => {
    await using directory = await scratch();
    const name = ') R 1 (<b>\n x';
    await copyFile('/bin/sleep', directory.join(name));
    await using child = run(directory.join(name), ['60']);
    expect(await seen(child, (each) => each === name)).toMatchObject({ pid: child.pid, parent: process.pid });
  });

  test('an argument may be empty or hold a line break', async () => {
    await using child = run('sh', ['-c', 'read x; exit', '', 'a\nb']);
    expect(await seen(child, (name) => name === 'sh')).toMatchObject({
      command: ['sh', '-c', 'read x; exit', '', 'a\nb'],
    });
  });

  test('processes that end while they are listed do no harm', async () => {
    await using child = run('sh', ['-c', 'while :; do /bin/true; done']);
    const table = new ProcessTable();
    await seen(child, (name) => name === 'sh');
    for (let scan = 0; scan < 50; scan++) expect((await table.scan()).map(({ pid }) => pid)).toContain(process.pid);
  });

  test('a zombie is listed as one, in the container of its parent', async () => {
    process.env.OUTRIGGER_POD_ID = `zombie-${process.pid}`;
    const env = { ...process.env, OUTRIGGER_CONTAINER: 'careless' };
    await using child = run('sh', ['-c', '/bin/true & exec sleep 60'], { env });
    const table = new ProcessTable();
    const zombie = await until(async () => (await table.scan()).find(({ state }) => state === 'Z'));
    expect(zombie).toMatchObject({ parent: child.pid, command: [], container: 'careless', resident: 0 });
  });

  test('a process that starts another program is listed with the new one', async () => {
    const table = new ProcessTable();
    await using child = run('sh', ['-c', 'read x; exec sleep 60']);
    const find = async () => (await table.scan()).find(({ pid }) => pid === child.pid);
    await until(async () => (await find())?.command[0] === 'sh');
    child.stdin?.end('\n');
    expect(await until(async () => ((await find())?.name === 'sleep' ? find() : undefined))).toMatchObject({
      command: ['sleep', '60'],
    });
  });

  test('CPU time and memory are those of the process', async () => {
    const table = new ProcessTable();
    const own = async () => (await table.scan()).find(({ pid }) => pid === process.pid)!;
    const { cpu, resident, threads } = await own();
    const { user, system } = process.cpuUsage();
    expect(Math.abs(cpu - (user + system) / 1e6)).toBeLessThan(0.2);
    expect(resident / process.memoryUsage.rss()).toBeCloseTo(1, 0);
    expect(threads).toBeGreaterThan(1);
    const proportional = await table.proportionalMemory(process.pid);
    expect(proportional).toBeGreaterThan(resident / 10);
    expect(proportional).toBeLessThan(resident * 1.5);
    expect(await table.proportionalMemory(2 ** 22 + 1)).toBeUndefined();
  });

  test.runIf(asRoot)('a user who may read no environment but their own still sees every process', async () => {
    await using other = run('sleep', ['60'], { env: { OUTRIGGER_CONTAINER: 'root-only' } });
    await seen(other, (name) => name === 'sleep');
    const module = JSON.stringify(import.meta.resolve('../src/processes.ts'));
    const program = `import { ProcessTable } from ${module}; const table = new ProcessTable();
      const all = await table.scan(); console.log(JSON.stringify([all.find(({ pid }) => pid === ${other.pid}), await table.proportionalMemory(${other.pid})]));`;
    const said = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
      uid: 65534,
      env: {},
      encoding: 'utf8',
    });
    const [listed, memory] = JSON.parse(said) as [object, unknown];
    expect(listed).toMatchObject({ name: 'sleep', command: ['sleep', '60'], user: 0 });
    expect(listed).not.toMatchObject({ container: 'root-only' });
    expect(memory).toBe(null);
  });
});

describe.runIf(onLinux)('with OUTRIGGER_POD_ID', () => {
  const ours = `pod-${process.pid}`;

  test('only the processes of that Pod are listed, by the names of their containers', async () => {
    await using mine = run('sleep', ['60'], { env: { OUTRIGGER_POD_ID: ours, OUTRIGGER_CONTAINER: 'app' } });
    await using other = run('sleep', ['60'], {
      env: { OUTRIGGER_POD_ID: `${ours}-other`, OUTRIGGER_CONTAINER: 'app' },
    });
    await using stranger = run('sleep', ['60'], { env: {} });
    for (const child of [mine, other, stranger]) await seen(child, (name) => name === 'sleep');
    process.env.OUTRIGGER_POD_ID = ours;
    expect(await listProcesses()).toMatchObject([{ pid: mine.pid, container: 'app' }]);
  });

  test('a worker that cleared its environment belongs to the Pod and container of its parent', async () => {
    process.env.OUTRIGGER_POD_ID = ours;
    const env = { PATH: process.env.PATH, OUTRIGGER_POD_ID: ours, OUTRIGGER_CONTAINER: 'server' };
    await using _parent = run('sh', ['-c', 'env -i sleep 60 & read x'], { env });
    const worker = await until(async () => (await listProcesses()).find(({ name }) => name === 'sleep'));
    expect(worker).toMatchObject({ container: 'server' });
    process.kill(worker.pid, 'SIGKILL');
  });

  test('a Pod started by a process of ours is a Pod of its own', async () => {
    process.env.OUTRIGGER_POD_ID = ours;
    const env = { PATH: process.env.PATH, OUTRIGGER_POD_ID: ours };
    await using parent = run('sh', ['-c', 'OUTRIGGER_POD_ID=inner sleep 60 & echo $!; read x'], { env });
    const [said] = (await once(parent.stdout!, 'data')) as [Buffer];
    const inner = Number(said);
    delete process.env.OUTRIGGER_POD_ID;
    await until(async () => (await listProcesses()).find(({ pid, name }) => pid === inner && name === 'sleep'));
    process.env.OUTRIGGER_POD_ID = ours;
    expect((await listProcesses()).map(({ name }) => name)).toEqual(['sh']);
    process.kill(inner, 'SIGKILL');
  });
});

type Fake = { stat?: string; cmdline?: string; environ?: string; cgroup?: string; flags?: number };

/** A tree as the kernel shows it, for what this machine does not have. */
async function fakeProc(root: string, processes: Readonly<Record<number, Fake>>): Promise<ProcessTable> {
  for (const [pid, { stat, cmdline = '', environ = '', cgroup = '', flags = 0 }] of Object.entries(processes)) {
    await mkdir(join(root, pid));
    const line = `${pid} (app) S 1 1 1 0 -1 ${flags} 0 0 0 0 250 50 100 0 20 0 3 0 ${1000 + Number(pid)} 1000000 512 0${' 0'.repeat(27)}\n`;
    await writeFile(join(root, pid, 'stat'), stat ?? line);
    await writeFile(join(root, pid, 'status'), 'Name:\tapp\nUid:\t1000\t1001\t1000\t1000\n');
    for (const [file, text] of Object.entries({ cmdline, environ, cgroup }))
      await writeFile(join(root, pid, file), text);
  }
  return new ProcessTable(root);
}

describe('a tree of /proc', () => {
  const id = 'a1b2c3d4e5f6'.padEnd(64, '0');

  test.each([
    ['cgroup v2 of containerd', `0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-${id}.scope\n`, 'a1b2c3d4e5f6'],
    ['cgroup v2 of CRI-O, a child group', `0::/kubepods.slice/crio-${id}.scope/container\n`, 'a1b2c3d4e5f6'],
    ['cgroup v2 from another namespace', `0::/../${id}\n`, 'a1b2c3d4e5f6'],
    ['cgroup v1', `12:pids:/kubepods/burstable/pod7/${id}\n0::/\n`, 'a1b2c3d4e5f6'],
    ['podman', `0::/machine.slice/libpod-${id}.scope\n`, 'a1b2c3d4e5f6'],
    ['our own namespace', '0::/\n', ''],
    ['no container at all', '0::/user.slice/user-1000.slice/session-1.scope\n', ''],
    ['a longer number', `0::/${id}abc\n`, ''],
  ])('names the container from its control group: %s', async (_, cgroup, container) => {
    delete process.env.OUTRIGGER_POD_ID;
    await using directory = await scratch();
    const table = await fakeProc(directory.path, { 7: { cgroup } });
    expect(await table.scan()).toMatchObject([{ container, user: 1001, cpu: 3, childrenCpu: 1, threads: 3 }]);
  });

  test('one process that names its container names it for all of them, and no later one renames it', async () => {
    delete process.env.OUTRIGGER_POD_ID;
    await using directory = await scratch();
    const cgroup = `0::/../${id}\n`;
    const table = await fakeProc(directory.path, {
      7: { cgroup, environ: 'A=1\0OUTRIGGER_CONTAINER=proxy\0' },
      8: { cgroup },
      9: { cgroup, environ: 'OUTRIGGER_CONTAINER=another\0' },
      10: { cgroup: '0::/\n', environ: 'OUTRIGGER_CONTAINER=monitor\0' },
      11: { cgroup: '0::/\n', environ: 'OUTRIGGER_CONTAINER=<script>"\n\0' },
    });
    const containers = (await table.scan()).map(({ container }) => container);
    expect(containers).toEqual(['proxy', 'proxy', 'proxy', 'monitor', '']);
  });

  test('kernel threads, unreadable lines and what is not a process are left out', async () => {
    await using directory = await scratch();
    const table = await fakeProc(directory.path, {
      2: { flags: 0x00200000 },
      3: { stat: '' },
      4: { stat: '4 (cut off' },
      5: {},
    });
    await mkdir(directory.join('6'));
    await mkdir(directory.join('sys'));
    await writeFile(directory.join('uptime'), '1 1\n');
    expect((await table.scan()).map(({ pid }) => pid)).toEqual([5]);
  });

  test('a command line of megabytes is cut', async () => {
    await using directory = await scratch();
    const table = await fakeProc(directory.path, { 7: { cmdline: `app\0${'x'.repeat(3_000_000)}\0` } });
    const [only] = await table.scan();
    expect(only?.command.join('').length).toBeLessThan(70_000);
  });

  test('a process whose address space is locked holds up nobody, and is read once it answers', async () => {
    delete process.env.OUTRIGGER_POD_ID;
    await using directory = await scratch();
    const table = await fakeProc(directory.path, { 7: {}, 8: { cmdline: 'fine\0' } });
    execFileSync('sh', ['-c', 'rm "$0" && mkfifo "$0"', directory.join('7/cmdline')]);
    // Opening a named pipe that nobody writes blocks, as reading a locked address space does.
    expect(await table.scan()).toMatchObject([
      { pid: 7, command: [] },
      { pid: 8, command: ['fine'] },
    ]);
    const begun = performance.now();
    expect(await table.scan()).toHaveLength(2);
    expect(performance.now() - begun).toBeLessThan(500);
    // A writer lets the blocked read go on; by then there is something to read.
    const pipe = await open(directory.join('7/cmdline'), 'r+');
    await writeFile(directory.join('answer'), 'late\0');
    await rename(directory.join('answer'), directory.join('7/cmdline'));
    await pipe.close();
    await until(async () => (await table.scan())[0]?.command[0] === 'late');
  });

  test('without /proc the fault says what is missing', async () => {
    await using directory = await scratch();
    const unavailable = { code: 'PROCESSES_UNAVAILABLE', message: expect.stringContaining(directory.path) };
    await expect(new ProcessTable(directory.path).scan()).rejects.toMatchObject(unavailable);
    await expect(new ProcessTable(directory.join('none')).scan()).rejects.toMatchObject(unavailable);
  });
});
