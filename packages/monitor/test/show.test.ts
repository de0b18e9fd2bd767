import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Process, Snapshot } from '../src/attribute.ts';
import { errors } from '../src/errors.ts';
import type { SidecarHealth } from '../src/judge.ts';
import { age, bytes, percent } from '../src/show/format.ts';
import { html } from '../src/show/html.ts';
import type { Sort } from '../src/show/process-table.ts';
import { page } from '../src/show.ts';

const process = (pid: number, rest: Partial<Process> = {}): Process => ({
  pid,
  parent: 1,
  name: 'app',
  program: '/usr/bin/app',
  container: 'billing',
  user: 1000,
  state: 'S',
  threads: 1,
  started: '2026-01-01T00:00:00.000Z',
  cpu: 0,
  cpuSeconds: 0,
  memory: 1024,
  memoryKind: 'pss',
  ...rest,
});

const sidecar = (rest: Partial<SidecarHealth> = {}): SidecarHealth => ({
  name: 'proxy',
  url: 'http://127.0.0.1:9401/',
  state: 'ready',
  phase: 'serving',
  version: '1.0.0',
  since: '2026-01-01T00:00:00.000Z',
  reason: null,
  lastAnswer: '2026-01-01T00:00:00.000Z',
  ...rest,
});

function snapshot(...processes: Process[]): Snapshot {
  const containers = [...Map.groupBy(processes, ({ container }) => container)].map(([name, members]) => ({
    name,
    processes: members.length,
    cpu: 0.5,
    cpuSeconds: 1,
    memory: 2048,
  }));
  return { time: new Date('2026-01-01T01:00:00Z'), at: 0, took: 1, interval: 2, shared: true, processes, containers };
}

const show = (
  processes: Snapshot,
  { sidecars = [sidecar()], sort }: { sidecars?: SidecarHealth[]; sort?: Sort } = {},
) => page({ processes: async () => processes, lastProcesses: () => processes, sidecars: () => sidecars }, sort);

/** The page without what is ours: head, style and script. */
const body = (text: string) => /<main>(.*)<\/main>/s.exec(text)![1]!;

describe('the page', () => {
  const hostile = `<img src=x onerror=alert(1)>"'\`&\u202e\u001b[31m\n`;

  test('shows hostile names as text, wherever they come from', async () => {
    const text = await show(
      snapshot(process(7, { name: hostile, program: `/x/${hostile}`, container: hostile, arguments: [hostile] })),
      { sidecars: [sidecar({ reason: hostile, version: hostile, phase: hostile, state: 'failing' })] },
    );
    expect(text).not.toContain('<img');
    expect(text).not.toMatch(/[\u202e\u001b]/);
    expect(text.split('&#60;img src=x onerror=alert(1)&#62;&#34;&#39;&#96;&#38;').length).toBeGreaterThan(6);
  });

  test('allows no style and no script but its own, and loads nothing', async () => {
    const text = await show(snapshot(process(7)));
    const policy = /content-security-policy" content="([^"]*)"/.exec(text)![1]!.replaceAll('&#39;', "'");
    for (const tag of ['style', 'script']) {
      const own = new RegExp(`<${tag}>(.*?)</${tag}>`, 's').exec(text)![1]!;
      expect(policy).toContain(`${tag}-src 'sha256-${createHash('sha256').update(own).digest('base64')}'`);
    }
    expect(policy).not.toContain('unsafe');
    expect(policy).toContain(`default-src 'none'`);
    expect(body(text)).not.toMatch(/ (style|on\w+)=/);
    expect(text).not.toMatch(/(src|href)="(https?:)?\/\/(?!127\.0\.0\.1:9401)/);
  });

  test('names every process, grouped by container with its totals', async () => {
    const text = body(
      await show(
        snapshot(
          process(9, { name: 'late' }),
          process(7, { name: 'early' }),
          process(8, { container: 'proxy', name: 'node' }),
        ),
      ),
    );
    const order = ['billing', '2 processes', 'early', 'late', 'proxy', 'node'].map((word) => text.indexOf(`${word}<`));
    expect(order).not.toContain(-1);
    expect(text.indexOf('early<')).toBeLessThan(text.indexOf('late<'));
  });

  test('orders by CPU, memory or pid when asked, and says so', async () => {
    const all = snapshot(
      process(7, { name: 'a', cpu: 0.1, memory: 3 }),
      process(8, { name: 'b', cpu: 0.9, memory: 2 }),
    );
    const names = async (sort: Sort) =>
      [...body(await show(all, { sort })).matchAll(/<bdi>([ab])</g)].map(([, name]) => name);
    expect(await names('cpu')).toEqual(['b', 'a']);
    expect(await names('memory')).toEqual(['a', 'b']);
    expect(await names('pid')).toEqual(['a', 'b']);
    expect(body(await show(all, { sort: 'cpu' }))).toMatch(/aria-sort="descending"><a href="\?sort=cpu"/);
  });

  test('says which memory is not proportional, and what is odd about a process', async () => {
    const text = body(await show(snapshot(process(7, { memoryKind: 'rss' }), process(8, { state: 'Z' }))));
    expect(text).toContain('<small>rss</small>');
    expect(text).toContain('resident set size');
    expect(text).toContain('zombie');
  });

  test('says when only its own container can be seen, and what to do', async () => {
    expect(await show({ ...snapshot(process(7)), shared: false })).toContain('shareProcessNamespace: true');
    expect(await show(snapshot(process(7)))).not.toContain('shareProcessNamespace');
  });

  test('has a tile for every sidecar, with what it needs to be found and understood', async () => {
    const text = await show(snapshot(), {
      sidecars: [
        sidecar(),
        sidecar({ name: 'adapter', state: 'failing', reason: 'target: refused', url: 'http://10.0.0.7:9403/' }),
        sidecar({ name: 'git-sync', state: 'absent', reason: 'connection refused', phase: null, version: null }),
        sidecar({ name: 'log-shipper', state: 'absent', lastAnswer: null, phase: null, version: null }),
      ],
    });
    expect(text).toContain('<a href="http://127.0.0.1:9401/v1" data-here>proxy</a>');
    expect(text).toContain('<a href="http://10.0.0.7:9403/v1" >adapter</a>');
    for (const words of ['Ready', 'Not ready', 'target: refused', 'Gone', 'Absent', 'v1.0.0'])
      expect(text).toContain(words);
    // The one that was never there is not counted.
    expect(text).toContain('<title>1/3 ready');
  });

  test('still shows the sidecars where processes cannot be sampled', async () => {
    const text = await page({
      processes: () => Promise.reject(errors.MONITOR_PROCESSES_UNREADABLE()),
      lastProcesses: () => undefined,
      sidecars: () => [sidecar()],
    });
    expect(text).toContain('The processes of the Pod cannot be sampled');
    expect(text).toContain('>proxy</a>');
  });

  test('of thousands of processes shows hundreds, and says so', async () => {
    const text = await show(snapshot(...Array.from({ length: 3000 }, (_, index) => process(index + 1))), {
      sort: 'cpu',
    });
    expect(text.split('<tr data-key').length - 1).toBe(500);
    expect(text).toContain('2500 more processes are not shown');
  });
});

test('values in html are escaped, markup is not, and nothing stays nothing', () => {
  expect(html`<p title="${'"'}">${['<', html`<b>${'&'}</b>`]}${undefined}${null}${false}${0}</p>`.text).toBe(
    '<p title="&#34;">&#60;<b>&#38;</b>0</p>',
  );
});

test.each([
  [percent(0), '0'],
  [percent(0.0123), '1.2 %'],
  [percent(1.5), '150 %'],
  [bytes(0), '0'],
  [bytes(300), '1 KiB'],
  [bytes(5 * 1024 * 1024), '5.0 MiB'],
  [bytes(1023.99 * 1024 * 1024), '1.00 GiB'],
  [age(-1), '0 s'],
  [age(59), '59 s'],
  [age(61), '1 min'],
  [age(3 * 3600 + 20 * 60), '3 h 20 min'],
  [age(2 * 86_400 + 3_600), '2 d 1 h'],
  [age(86_400), '1 d'],
])('people read %s', (written, expected) => {
  expect(written).toBe(expected);
});
