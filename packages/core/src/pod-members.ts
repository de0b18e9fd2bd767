// Which processes are of this Pod, and of which of its containers.

type Running = { readonly pid: number; readonly parent: number; readonly startTime: number };

/** What a process says of itself, by its environment and its control group. */
type Claim = { readonly id: string; readonly podId: string | undefined; readonly container: string | undefined };
type ClaimOf = (pid: number) => Claim;

/** Each process of this Pod with the name of its container, else the container's id. */
export function membersOf<R extends Running>(running: ReadonlyMap<number, R>, claimOf: ClaimOf): [R, string][] {
  const ours = process.env.OUTRIGGER_POD_ID || undefined;
  const inPod = inherited(running, (pid) => {
    const { podId } = claimOf(pid);
    return ours === undefined || (podId && podId === ours) || (podId ? false : undefined);
  });
  const inherit = inherited(running, (pid) => claimOf(pid).container);
  const named = ours === undefined ? namesById([...running.values()], claimOf) : undefined;
  return [...running.values()]
    .filter(({ pid }) => inPod(pid))
    .map((each) => {
      const { id, container } = claimOf(each.pid);
      const name = named ? (named.get(id) ?? (id === '' ? container : undefined)) : inherit(each.pid);
      return [each, name ?? id];
    });
}

/** What a process itself says, else what its nearest ancestor says: workers overwrite their environment with a title. */
function inherited<T>(running: ReadonlyMap<number, Running>, own: (pid: number) => T | undefined) {
  const known = new Map<number, T | undefined>();
  return function of(pid: number): T | undefined {
    if (known.has(pid) || !running.has(pid)) return known.get(pid);
    known.set(pid, undefined);
    const value = own(pid) ?? of(running.get(pid)?.parent ?? 0);
    known.set(pid, value);
    return value;
  };
}

/** One name per container, its oldest process's: the others are whatever it has started since. */
function namesById(processes: readonly Running[], claimOf: ClaimOf) {
  const names = new Map<string, string>();
  for (const { pid } of processes.toSorted((a, b) => a.startTime - b.startTime)) {
    const { id, container } = claimOf(pid);
    if (id && container && !names.has(id)) names.set(id, container);
  }
  return names;
}
