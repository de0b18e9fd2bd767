// The table of processes: by container with its totals, or as one list.

import { basename } from 'node:path';
import type { Container, Process, Snapshot } from '../attribute.ts';
import { age, bytes, percent } from './format.ts';
import { type Html, html } from './html.ts';

export const sorts = ['container', 'cpu', 'memory', 'pid'] as const;
export type Sort = (typeof sorts)[number];

const order: Readonly<Record<Sort, (a: Process, b: Process) => number>> = {
  container: (a, b) => a.pid - b.pid,
  cpu: (a, b) => b.cpu - a.cpu || b.cpuSeconds - a.cpuSeconds,
  memory: (a, b) => b.memory - a.memory,
  pid: (a, b) => a.pid - b.pid,
};

// A page with thousands of rows helps nobody and costs everybody; the API has them all.
const rowsShown = 500;

export function processTable(snapshot: Snapshot, sort: Sort): Html {
  const { shared, processes, time } = snapshot;
  const shown = processes.toSorted(order[sort]).slice(0, rowsShown);
  const scale = { now: time.getTime(), most: Math.max(...processes.map(({ memory }) => memory)) };
  const row = (process: Process, container?: string) => processRow(process, container, scale);
  return html`${!shared && notShared}
<div class="scroll" role="region" aria-labelledby="processes" tabindex="0" data-key="table"><table>
${head(sort)}
${sort === 'container' ? groups(snapshot, shown, row) : html`<tbody>${shown.map((each) => row(each, each.container))}</tbody>`}
</table></div>
${legend(shown, processes.length - shown.length)}`;
}

const notShared = html`<p class="note" data-key="not-shared">Only the processes of this container can be seen.
Set <code>shareProcessNamespace: true</code> in the Pod's spec to see those of the others.</p>`;

function legend(shown: readonly Process[], hidden: number): Html {
  const rss = shown.some(({ memoryKind, memory }) => memoryKind === 'rss' && memory > 0);
  return html`<p class="legend" data-key="legend">CPU is in percent of one core. Memory is the proportional set size: a page that three processes share counts a third for each${
    rss && '. Where that cannot be read it is the resident set size, marked rss, which counts shared pages in full'
  }.${hidden > 0 && ` ${hidden} more processes are not shown: the JSON has them all.`}</p>`;
}

function head(sort: Sort): Html {
  const column = (key: Sort, title: string, kind = '') => {
    const direction = key === 'cpu' || key === 'memory' ? 'descending' : 'ascending';
    return html`<th scope="col" class="${kind}" ${sort === key && html`aria-sort="${direction}"`}><a href="?sort=${key}">${title}</a></th>`;
  };
  return html`<thead><tr>
${column('container', 'Container', 'container')}
<th scope="col" class="name">Process</th>
${column('cpu', 'CPU', 'meter')}
${column('memory', 'Memory', 'meter')}
${column('pid', 'PID', 'wide')}
<th scope="col" class="wide">User</th>
<th scope="col" class="wide">Age</th>
</tr></thead>`;
}

type Row = (process: Process, container?: string) => Html;

/** Those of a known container first. A container of one process needs no totals of its own. */
function groups({ containers }: Snapshot, shown: readonly Process[], row: Row): Html[] {
  const members = Map.groupBy(shown, ({ container }) => container);
  return containers
    .toSorted((a, b) => Number(a.name === '') - Number(b.name === ''))
    .map((container) => {
      const [first, ...rest] = members.get(container.name) ?? [];
      const rows =
        first && rest.length === 0 && container.processes === 1
          ? row(first, container.name)
          : [totals(container), ...(members.get(container.name) ?? []).map((each) => row(each))];
      return html`<tbody data-key="${`container ${container.name}`}">${rows}</tbody>`;
    });
}

const totals = ({ name, processes, cpu, memory }: Container) => html`<tr class="totals" data-key="totals">
<th scope="rowgroup" class="container">${containerName(name)}</th>
<td class="name">${processes} ${processes === 1 ? 'process' : 'processes'}</td>
<td class="meter">${percent(cpu)}</td>
<td class="meter">${bytes(memory)}</td>
<td class="wide"></td><td class="wide"></td><td class="wide"></td>
</tr>`;

const containerName = (name: string) => (name ? html`<bdi>${name}</bdi>` : html`<i>unknown</i>`);

/** What the kernel's letter means, for those states that are worth a word. */
const odd: Readonly<Record<string, string>> = {
  Z: 'zombie',
  T: 'stopped',
  t: 'traced',
  D: 'waiting for a device',
  X: 'dead',
};

/** @param container its name when this row is to say it */
function processRow(
  process: Process,
  container: string | undefined,
  { now, most }: { now: number; most: number },
): Html {
  const { pid, name, program, cpu, memory, memoryKind, user, state, started } = process;
  const file = basename(program);
  return html`<tr data-key="${`${pid} ${started}`}">
<td class="container">${container !== undefined && containerName(container)}</td>
<th scope="row" class="name"><bdi>${name}</bdi>${file && file !== name && html` <span class="program" title="${program}"><bdi>${file}</bdi></span>`}${
    odd[state] && html` <span class="odd">${odd[state]}</span>`
  }${argumentsOf(process)}</th>
<td class="meter"><div>${bar(cpu, cpu > 0.8 ? 'hot' : '')}<span>${percent(cpu)}</span></div></td>
<td class="meter"><div>${bar(memory / most, 'memory')}<span>${memoryKind === 'rss' && memory > 0 && html`<small>rss</small> `}${bytes(memory)}</span></div></td>
<td class="wide">${pid}</td>
<td class="wide">${user < 0 ? '?' : user}</td>
<td class="wide"><time datetime="${started}">${age((now - Date.parse(started)) / 1000)}</time></td>
</tr>`;
}

function argumentsOf(process: Process): Html | undefined {
  const text = process.arguments?.join(' ').slice(0, 1000);
  return text ? html`<span class="arguments" title="${text}"><bdi>${text}</bdi></span>` : undefined;
}

// An attribute of SVG and not a style: the page's policy allows no inline styles.
function bar(share: number, kind: string): Html {
  const width = Number.isFinite(share) ? Math.min(100, share * 100).toFixed(1) : '0';
  return html`<svg class="${kind}" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect width="${width}" height="6"/></svg>`;
}
