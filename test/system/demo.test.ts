import { execFileSync } from 'node:child_process';
import { adminUrl, ask, behavesAsDemo, client, sidecars, untilServing } from '@outrigger/example-billing/demo';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFailed, test } from 'vitest';
import { type DemoPod, startDemoPod } from './demo-pod.ts';
import { podman, tryPodman } from './podman.ts';
import { memoryOf, statusOf } from './processes.ts';

const containers = [...sidecars, 'billing'];

describe('the demo as a real Pod', () => {
  let demo: DemoPod;

  beforeAll(async () => {
    demo = await startDemoPod();
    await untilServing(demo, 60_000);
  }, 120_000);

  afterAll(() => demo?.[Symbol.asyncDispose](), 60_000);

  beforeEach(() => {
    const since = new Date().toISOString();
    onTestFailed(async () => {
      for (const name of containers) {
        const { output } = await tryPodman('logs', '--since', since, demo.container(name));
        process.stderr.write(output.replace(/^/gm, `${name} | `).concat('\n'));
      }
    });
  });

  test.each(containers)(
    '%s runs as nobody in particular, without capabilities, on a root it cannot write',
    async (name) => {
      const status = statusOf(await demo.program(name));
      expect(status.Uid).toEqual(['65532', '65532', '65532', '65532']);
      expect(status.Gid).toEqual(['65532', '65532', '65532', '65532']);
      expect(status.CapEff).toEqual(['0000000000000000']);
      expect(status.CapBnd).toEqual(['0000000000000000']);
      expect(status.NoNewPrivs).toEqual(['1']);
      const { code, output } = await tryPodman(
        'exec',
        demo.container(name),
        'node',
        '-e',
        'fs.writeFileSync("/x", "")',
      );
      expect(code).toBe(1);
      expect(output).toContain('EROFS');
    },
  );

  test.each(sidecars)('the health probe of %s succeeds inside its container', async (name) => {
    // podman from 4.4 runs the command as it is; before, it gives it to a shell, which the image does not have.
    const shown = await podman('inspect', '--format', '{{json .Config.Healthcheck.Test}}', demo.container(name));
    const [kind, ...given] = JSON.parse(shown) as string[];
    const command =
      kind === 'CMD'
        ? given
        : given
            .join(' ')
            .replace(/ \|\| exit 1$/, '')
            .split(' ');
    expect(command.slice(0, 2)).toEqual(['sidecar', 'health']);
    expect(await tryPodman('exec', demo.container(name), ...command)).toMatchObject({ code: 0 });
  });

  test('idle memory', async () => {
    const rows = await Promise.all(
      sidecars.map(async (name) => {
        const memory = memoryOf(await demo.program(name));
        return `  ${name.padEnd(16)}${mebibytes(memory.private)}${mebibytes(memory.proportional)}`;
      }),
    );
    process.stdout.write(`\nIdle memory, MiB    private  proportional\n${rows.join('\n')}\n\n`);
  });

  behavesAsDemo(() => demo);

  test.each(sidecars)('promtool finds nothing wrong with the metrics of %s', async (name) => {
    const metrics = await (await fetch(`${adminUrl(demo, name)}/metrics`)).text();
    const output = execFileSync('promtool', ['check', 'metrics'], { input: metrics, encoding: 'utf8', stdio: 'pipe' });
    expect(output).toBe('');
  });

  test('the word prestop makes a sidecar unready, and it goes on serving', async () => {
    await podman('exec', demo.container('proxy'), 'sidecar', 'prestop');
    expect((await fetch(`${adminUrl(demo, 'proxy')}/readyz`)).status).toBe(503);
    expect((await fetch(`${adminUrl(demo, 'proxy')}/livez`)).status).toBe(200);
    expect((await ask(await client(demo), '/')).status).toBe(200);
  });

  test('all end with exit code 0: the application first, then the sidecars, the last one first', async () => {
    const order = ['billing', ...sidecars.toReversed()];
    for (const name of order) await podman('stop', '--time', '10', demo.container(name));
    const codes = await Promise.all(
      order.map((name) => podman('inspect', '--format', '{{.State.ExitCode}}', demo.container(name))),
    );
    expect(Object.fromEntries(order.map((name, index) => [name, codes[index]]))).toEqual(
      Object.fromEntries(order.map((name) => [name, '0'])),
    );
  });
});

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1).padStart(10);
