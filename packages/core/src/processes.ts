// The processes of the Pod, read from /proc. Any of them may end, start another program, or get stuck while it is read.

import { readdirSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { defineErrors } from './errors.ts';
import { membersOf } from './pod-members.ts';

export type PodProcess = {
  readonly pid: number;
  readonly parent: number;
  /** As the kernel calls it: at most 15 bytes, any characters. */
  readonly name: string;
  /** Program and arguments; empty for a zombie. May hold secrets. */
  readonly command: readonly string[];
  /** Name of its container, else the first 12 digits of the container's id, else ''. */
  readonly container: string;
  /** Clock ticks from boot to its start: with the pid it names this process and no later one. */
  readonly startTime: number;
  /** Effective user id; -1 when it cannot be read. */
  readonly user: number;
};

/** A process and what it has used, as its `stat` says. */
export type ProcessUsage = PodProcess & {
  /** One letter: R running, S sleeping, D waiting for a device, T stopped, Z zombie. */
  readonly state: string;
  /** Seconds of CPU time of the process itself. */
  readonly cpu: number;
  /** Seconds of CPU time of its children that have ended and been waited for, with theirs. */
  readonly childrenCpu: number;
  readonly threads: number;
  /** Bytes in memory, pages shared with others included. */
  readonly resident: number;
  /** Its control group, as seen from here. */
  readonly cgroup: string;
};

export const processErrors = defineErrors({
  PROCESSES_UNAVAILABLE: {
    message: 'Cannot list processes: {path} cannot be read',
    hint: 'Processes are read from /proc, which Linux has; macOS and Windows do not',
    status: 501,
  },
});

/** The kernel reports times in these units on every machine Node.js runs on, whatever its own tick is. */
export const ticksPerSecond = 100;

type Stat = Omit<ProcessUsage, 'command' | 'container' | 'user' | 'cgroup'> & {
  /** Changes when the process starts another program, as far as we may know. */
  readonly image: string;
};

type Identity = {
  readonly image: string;
  readonly readAt: number;
  readonly command: readonly string[];
  readonly user: number;
  readonly cgroup: string;
  /** Of its container, from the control group; '' when that names none. */
  readonly id: string;
  readonly podId: string | undefined;
  readonly container: string | undefined;
};

const unknown = { command: [], user: -1, cgroup: '', id: '', podId: undefined, container: undefined };

// A process may rewrite its title or change its user with no sign of it in stat.
const identityAge = 60_000;
// A read of a process whose address space is locked (a page fault on a dead network file system) does not come back.
const patience = 1000;
// Each such read holds one of libuv's four threads.
const stuckAllowed = 2;
const readsAtOnce = 4;

/** Scans again and again at the cost of one short read per process: what does not change is remembered. */
export class ProcessTable {
  readonly #root: string;
  readonly #pageSize = pageSize();
  readonly #identities = new Map<number, Identity>();
  readonly #stuck = new Set<number>();

  /** @param root where proc is mounted */
  constructor(root = '/proc') {
    this.#root = root;
  }

  /** Every process of the Pod: those with our OUTRIGGER_POD_ID and their descendants; without one, all that can be seen. */
  async scan(): Promise<ProcessUsage[]> {
    const stats = await this.#stats();
    await this.#identify(stats);
    return attribute(stats, (pid) => this.#identities.get(pid) ?? unknown);
  }

  /**
   * Bytes in memory with each shared page divided among those who share it: the sum over processes is what they take.
   * Walks the whole address space, so it costs some milliseconds per gigabyte. Undefined when we may not know.
   */
  async proportionalMemory(pid: number): Promise<number | undefined> {
    const rollup = await this.#patiently(pid, () => readHead(join(this.#root, String(pid), 'smaps_rollup'), 8192));
    const written = /^Pss: +(\d+) kB$/m.exec(rollup ?? '')?.[1];
    return written === undefined ? undefined : Number(written) * 1024;
  }

  async #stats(): Promise<Map<number, Stat>> {
    const stats = new Map<number, Stat>();
    let read = 0;
    for (const pid of pidsIn(this.#root)) {
      const line = readIfThere(join(this.#root, String(pid), 'stat'));
      const stat = line === undefined ? undefined : parseStat(line, this.#pageSize);
      if (stat) stats.set(pid, stat);
      // Thousands of processes must not keep a probe waiting.
      if (++read % 256 === 0) await setImmediate();
    }
    return stats;
  }

  async #identify(stats: ReadonlyMap<number, Stat>): Promise<void> {
    const now = performance.now();
    for (const [pid, { image }] of this.#identities) if (stats.get(pid)?.image !== image) this.#identities.delete(pid);
    const due = stats
      .values()
      .filter(({ pid }) => now - (this.#identities.get(pid)?.readAt ?? -Infinity) >= identityAge);
    // One iterator for all readers: each takes the next that nobody has taken.
    await Promise.all(Array.from({ length: readsAtOnce }, () => this.#readEach(due, now)));
  }

  async #readEach(due: Iterable<Stat>, now: number): Promise<void> {
    for (const { pid, image } of due) {
      const identity = await this.#patiently(pid, () => readIdentity(join(this.#root, String(pid))));
      if (identity) this.#identities.set(pid, { ...identity, image, readAt: now });
    }
  }

  /** Undefined when the read does not come back; its process is then left alone until it does. */
  async #patiently<T>(pid: number, read: () => Promise<T>): Promise<T | undefined> {
    if (this.#stuck.has(pid) || this.#stuck.size >= stuckAllowed) return undefined;
    const reading = read();
    const value = await within(patience, reading);
    if (value === undefined) {
      this.#stuck.add(pid);
      const back = () => this.#stuck.delete(pid);
      reading.then(back, back);
    }
    return value;
  }
}

/** The value, or undefined when it takes longer. */
function within<T>(milliseconds: number, reading: Promise<T>): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), milliseconds);
  return Promise.race([reading, late]).finally(() => clearTimeout(timer));
}

function pidsIn(root: string): number[] {
  try {
    const pids = readdirSync(root).filter((name) => /^[1-9]\d*$/.test(name));
    if (pids.length > 0) return pids.map(Number).sort((a, b) => a - b);
  } catch (error) {
    throw processErrors.PROCESSES_UNAVAILABLE({ path: root }, error);
  }
  throw processErrors.PROCESSES_UNAVAILABLE({ path: root });
}

// Gone (ENOENT, ESRCH) and not ours to read (EACCES, EPERM) are everyday answers of /proc.
const isMissing = (error: unknown) =>
  ['ENOENT', 'ESRCH', 'ENOTDIR', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const kernelThread = 0x00200000;

/** proc_pid_stat(5). The name may hold anything, parentheses too, so fields are counted from its last one. */
function parseStat(line: string, page: number): Stat | undefined {
  const opening = line.indexOf('(');
  const closing = line.lastIndexOf(')');
  const fields = line.slice(closing + 2).split(' ');
  // The manual counts from 1 and the state, first here, is its third.
  const field = (number: number) => Number(fields[number - 3]);
  if (opening < 0 || closing < opening || fields.length < 22 || field(9) & kernelThread) return undefined;
  const name = line.slice(opening + 1, closing);
  const startTime = field(22);
  return {
    pid: Number(line.slice(0, opening)),
    parent: field(4),
    name,
    startTime,
    state: fields[0] ?? '',
    cpu: (field(14) + field(15)) / ticksPerSecond,
    childrenCpu: (field(16) + field(17)) / ticksPerSecond,
    threads: field(20),
    resident: field(24) * page,
    // Where its environment lies moves with each program it starts; 0 when we may not know, and then it cannot be read.
    image: `${startTime} ${field(50)} ${name}`,
  };
}

async function readIdentity(directory: string): Promise<Omit<Identity, 'image' | 'readAt'>> {
  const [command, environment] = await Promise.all([
    readHead(join(directory, 'cmdline'), 64 * 1024),
    readHead(join(directory, 'environ'), 1024 * 1024),
  ]);
  const variables = environment.split('\0');
  const variable = (name: string) =>
    variables.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1) || undefined;
  const container = variable('OUTRIGGER_CONTAINER');
  const cgroup = readIfThere(join(directory, 'cgroup'))?.trimEnd() ?? '';
  return {
    command: command === '' ? [] : command.replace(/\0+$/, '').split('\0'),
    user: Number(/^Uid:\t\d+\t(\d+)/m.exec(readIfThere(join(directory, 'status')) ?? '')?.[1] ?? -1),
    cgroup,
    id: containerId(cgroup),
    podId: variable('OUTRIGGER_POD_ID'),
    // Whoever runs in the Pod wrote this: only what can name a container is taken.
    container: container && /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(container) ? container : undefined,
  };
}

/** The beginning of a file, '' when it cannot be read: arguments can be megabytes. */
async function readHead(path: string, limit: number): Promise<string> {
  try {
    await using file = await open(path);
    const buffer = Buffer.allocUnsafe(4096);
    let head = Buffer.alloc(0);
    // The kernel fills what it is given until there is no more.
    for (let read = buffer.length; read === buffer.length && head.length < limit; ) {
      read = (await file.read(buffer, 0, buffer.length)).bytesRead;
      head = Buffer.concat([head, buffer.subarray(0, read)]);
    }
    return head.toString('utf8', 0, Math.min(head.length, limit));
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}

/** What is shown of the processes of this Pod. */
function attribute(stats: ReadonlyMap<number, Stat>, identityOf: (pid: number) => Omit<Identity, 'image' | 'readAt'>) {
  return membersOf(stats, identityOf).map(([{ image: _, ...stat }, container]): ProcessUsage => {
    const { command, user, cgroup } = identityOf(stat.pid);
    return { ...stat, command, user, cgroup, container };
  });
}

/** `/kubepods/pod1/<id>`, `cri-containerd-<id>.scope`, `/../<id>` seen from another namespace: 64 hex digits in all. */
const containerId = (cgroup: string) => /(?<![0-9a-f])([0-9a-f]{12})[0-9a-f]{52}(?![0-9a-f])/.exec(cgroup)?.[1] ?? '';

/** AT_PAGESZ of our own auxiliary vector: stat counts memory in pages, of 4, 16 or 64 KiB. */
function pageSize(): number {
  try {
    const vector = readFileSync('/proc/self/auxv');
    for (let at = 0; at + 16 <= vector.length; at += 16)
      if (vector.readBigUInt64LE(at) === 6n) return Number(vector.readBigUInt64LE(at + 8));
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return 4096;
}
