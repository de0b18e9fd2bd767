import { chmod } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { scratch } from '../../src/testing/scratch.ts';
import { handlesSighup, startProgram, uniqueName } from '../../src/testing/start-program.ts';
import { unprivileged } from '../../src/testing/unprivileged.ts';
import { until } from '../../src/testing/until.ts';
import { openNotifier } from './open-notifier.ts';

const notice = { generation: 7, hash: 'a'.repeat(64) };
const never = new AbortController().signal;

const open = (name: string, signal = 'SIGHUP') =>
  openNotifier('signal', '--notify-signal-process', name, '--notify-signal-name', signal);

test('of a master and its workers the master is signalled', async () => {
  await using dir = await scratch();
  const name = uniqueName();
  await using master = await startProgram(
    dir.join(name),
    `
    const { fork } = require('node:child_process');
    const who = process.send ? 'worker' : 'master';
    process.on('SIGHUP', () => console.log(who + ' got SIGHUP'));
    setInterval(() => undefined, 1000);
    process.on('disconnect', () => process.exit());
    if (who === 'worker') process.send('up');
    else fork(__filename).on('message', () => console.log('ready'));
    `,
  );
  expect(await open(name).notify(notice, never)).toMatchObject({ pid: master.pid });
  await until(() => master.lines.includes('master got SIGHUP'));
  expect(master.lines).not.toContain('worker got SIGHUP');
});

test('two applications of one name are refused and none is signalled', async () => {
  await using dir = await scratch();
  await using other = await scratch();
  const name = uniqueName();
  await using one = await startProgram(dir.join(name), handlesSighup);
  await using two = await startProgram(other.join(name), handlesSighup);
  await expect(open(name).notify(notice, never)).rejects.toMatchObject({
    code: 'NOTIFY_PROCESS_AMBIGUOUS',
    message: expect.stringContaining(`pid ${one.pid}`),
  });
  expect([...one.lines, ...two.lines]).toEqual(['ready', 'ready']);
});

test('a signal that would end the program, or that it ignores, is not sent', async () => {
  await using dir = await scratch();
  const name = uniqueName();
  await using program = await startProgram(dir.join(name), `setInterval(() => undefined, 1000); console.log('ready');`);
  await expect(open(name).notify(notice, never)).rejects.toMatchObject({
    code: 'NOTIFY_SIGNAL_UNHANDLED',
    message: expect.stringContaining('does not handle SIGHUP'),
  });
  // Node.js has SIGPIPE ignored; among the signals that may be chosen, a shell can ignore any.
  const shell = uniqueName();
  await using ignoring = await startProgram(
    dir.join(shell),
    // It starts programs without a pause, and blocks all signals around each start.
    `trap '' USR1\necho ready\nwhile :; do /bin/true; done\n`,
    {
      program: '/bin/sh',
    },
  );
  for (let round = 0; round < 20; round++)
    await expect(open(shell, 'SIGUSR1').notify(notice, never)).rejects.toMatchObject({
      message: expect.stringContaining('ignores SIGUSR1'),
    });
  // This one is meant to end it.
  await open(name, 'SIGTERM').notify(notice, never);
  await program.exited;
  expect(ignoring.lines).toEqual(['ready']);
});

test.skipIf(process.geteuid?.() !== 0)(
  'a process of another user is not signalled, and the rule is explained',
  async () => {
    await using dir = await scratch();
    await chmod(dir.path, 0o755);
    const name = uniqueName();
    await using program = await startProgram(
      dir.join(name),
      `trap 'echo got' HUP\necho ready\nwhile :; do sleep 0.05; done\n`,
      { program: '/bin/sh', uid: 12345 },
    );
    await expect(unprivileged(() => open(name).notify(notice, never))).rejects.toMatchObject({
      code: 'NOTIFY_SIGNAL_NOT_PERMITTED',
      message: `Process ${program.pid} (sh ${name}) runs as user 12345, this sidecar as 65534: it may not send SIGHUP`,
      hint: expect.stringContaining('runAsUser'),
    });
  },
);

test.for(['SIGKILL', 'SIGSTOP', 'HUP', '1'])('%s is refused as a parameter', (signal) => {
  expect(() => open('app', signal)).toThrow('--notify-signal-name: SIGHUP, SIGUSR1');
});
