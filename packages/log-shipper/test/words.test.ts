// What the program does instead of running.

import { fileURLToPath } from 'node:url';
import { freePort, startPeer } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { Receiver } from './receiver.ts';
import { main } from './shipper.ts';

/** Runs a word to its end with this on its standard input. */
async function word(args: readonly string[], input = '') {
  await using peer = await startPeer(process.execPath, [fileURLToPath(main), ...args], { input: true });
  peer.process.stdin!.end(input);
  const { code } = await peer.exited;
  return { code, stdout: peer.stdout, stderr: peer.stderr };
}

test('render prints what a sink would send, with what the pipeline adds, and connects to nobody', async () => {
  await using receiver = await Receiver.listen();
  const sinks = ['--sink', 'stdout', '--sink-stdout-encoding', 'json', '--fields', 'service=billing'];
  const said = await word(['render', ...sinks], 'one\ntwo\n');
  expect(said).toEqual({
    code: 0,
    stdout: '{"log":"one","service":"billing"}\n{"log":"two","service":"billing"}\n',
    stderr: '',
  });
  const forward = await word(['render', '--sink', 'forward', '--sink-forward-address', receiver.address], 'one\n');
  expect(forward).toMatchObject({ code: 0, stdout: expect.stringMatching(/outrigger.*log.*one.*chunk/s) });
  expect(receiver.connections).toBe(0);
});

test('check sends one marked record and says that the sink has taken it', async () => {
  await using receiver = await Receiver.listen();
  const { code, stdout } = await word(['check', '--sink', 'forward', '--sink-forward-address', receiver.address]);
  expect(stdout).toMatch(/^forward\n {2}name +ok .*127\.0\.0\.1.*\n {2}connection ok .*\n {2}record +ok +delivered/);
  expect(code).toBe(0);
  expect(receiver.lines).toEqual([expect.stringMatching(/^outrigger log-shipper check \d{4}-/)]);
});

test('check says at which step it fails', async () => {
  const nobody = `127.0.0.1:${await freePort()}`;
  const { code, stdout } = await word(['check', '--sink', 'forward', '--sink-forward-address', nobody]);
  expect(stdout).toMatch(/name +ok .*\n {2}connection failed .*ECONNREFUSED.*\n {2}record +failed/);
  expect(code).toBe(1);
});
