// A status page of any size, and the rules for it: as many series as it has queues.

export function largeDocument(bytes: number): { readonly document: string; readonly queues: number } {
  const lines = ['<?xml version="1.0"?>\n<status>'];
  let queues = 0;
  for (let size = 0; size < bytes; queues++) {
    const line =
      `  <queue name="jobs/${queues}" depth="${queues % 97}" capacity="100" workers="4" state="open">` +
      `<oldest unit="ms">${queues}.25</oldest><rate per="minute">${queues % 60}</rate></queue>`;
    size += line.length + 1;
    lines.push(line);
  }
  return { document: `${lines.join('\n')}\n</status>\n`, queues };
}

export const largeRules = `
root: status
rules:
  - metric: queue_depth
    type: gauge
    help: Jobs that wait
    path: /status/queue
    value: '@depth'
    labels: { queue: '@name' }
`;
