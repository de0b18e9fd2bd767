import { expect, test } from 'vitest';
import { outrigger } from './outrigger.ts';

test('--help lists the commands, and each explains itself', async () => {
  const help = await outrigger('--help');
  expect(help.code).toBe(0);
  const words = {
    run: '<pod.yaml>',
    check: '<pod.yaml>',
    compose: '<workload.yaml>',
    diff: '<workload.yaml>',
    upgrade: '<workload.yaml>',
    remove: '<workload.yaml>',
    create: '<name>',
    conformance: '-- <command...>',
  };
  for (const [command, what] of Object.entries(words)) {
    expect(help.stdout).toContain(`  ${command}`);
    const own = await outrigger(command, '--help');
    expect(own).toMatchObject({ code: 0, stderr: '' });
    expect(own.stdout).toMatch(new RegExp(`^Usage: outrigger ${command} \\[flags\\] ${what}\n`));
    expect(own.stdout).toContain('Exit code: 0');
  }
});

test('--version prints the version', async () => {
  expect((await outrigger('--version')).stdout).toMatch(/^outrigger \d+\.\d+\.\d+\n$/);
});

test.for([
  [['chek', 'pod.yaml'], '"chek" is not a command; did you mean check?'],
  [['--hlp'], '--hlp is unknown; did you mean --help?'],
  [['check', '--jsno', 'pod.yaml'], '--jsno is unknown; did you mean --json?'],
  [['check', '--json=yes', 'pod.yaml'], '--json: takes no value'],
  [['check'], 'outrigger check expects a manifest, such as pod.yaml'],
  [['check', 'a', 'b'], 'outrigger check expects a manifest, such as pod.yaml, and nothing else; what is "b"?'],
  [['compose', '--form', 'plane', 'a'], '--form: native or plain or podman is expected, not "plane"'],
  [['compose', 'a', '--form'], '--form: native|plain|podman is expected'],
  [['compose', '--form=plain', '--form=plain', 'a'], '--form: is given twice'],
] as const)('%s exits 64 and says why', async ([args, message]) => {
  const { code, stdout, stderr } = await outrigger(...args);
  expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
  expect(stderr).toContain(`outrigger: ${message}\n`);
  expect(stderr).toMatch(/\nSee outrigger .*--help\n$/);
});
