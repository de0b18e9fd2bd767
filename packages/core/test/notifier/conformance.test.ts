import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { Fault } from '../../src/errors.ts';
import { notifiers } from '../../src/notifier/index.ts';
import { openEndpoint } from '../../src/testing/endpoint.ts';
import { scratch } from '../../src/testing/scratch.ts';
import { handlesSighup, startProgram, uniqueName } from '../../src/testing/start-program.ts';
import { until } from '../../src/testing/until.ts';
import { openNotifier } from './open-notifier.ts';

/** A real application on the other side. */
type Peer = AsyncDisposable & {
  /** The notifier's own parameters that lead to it. */
  readonly argv: readonly string[];
  /** How often it was told. */
  readonly told: () => number;
  /** From now on it is not there. */
  readonly leave: () => Promise<unknown>;
};

/** A new notifier needs a peer here; everything below then holds for it. */
const peers: Readonly<Record<keyof typeof notifiers, () => Promise<Peer>>> = {
  async http() {
    const endpoint = await openEndpoint();
    const stack = new AsyncDisposableStack();
    stack.use(endpoint);
    const leave = async () => stack.disposeAsync();
    const argv = [
      '--notify-http-url',
      endpoint.url.replace('http://', 'http://user:hunter2@').concat('?token=hunter2'),
    ];
    return { argv, told: () => endpoint.requests.length, leave, [Symbol.asyncDispose]: leave };
  },
  async exec() {
    const directory = await scratch();
    const [script, log] = [directory.join('reload'), directory.join('told')];
    await writeFile(script, '#!/bin/sh\necho "$OUTRIGGER_GENERATION" >> "$1"\n', { mode: 0o755 });
    return {
      argv: ['--notify-exec-command', `${script} ${log} --password hunter2`],
      told: () => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').length - 1 : 0),
      leave: () => rm(script),
      [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
    };
  },
  async signal() {
    const directory = await scratch();
    const name = uniqueName();
    const program = await startProgram(directory.join(name), handlesSighup);
    return {
      argv: ['--notify-signal-process', name],
      told: () => program.lines.filter((line) => line.startsWith('got SIGHUP')).length,
      leave: async () => program[Symbol.asyncDispose](),
      async [Symbol.asyncDispose]() {
        await program[Symbol.asyncDispose]();
        await directory[Symbol.asyncDispose]();
      },
    };
  },
};

const notice = { generation: 7, hash: 'a'.repeat(64) };

describe.for(Object.keys(notifiers) as (keyof typeof notifiers)[])('the notifier %s', (name) => {
  test('explains itself and its parameters', () => {
    const { summary, parameters } = notifiers[name];
    for (const words of [summary, ...Object.values(parameters).map(({ help }) => help)])
      expect(words).toMatch(/^[A-Z].*[^.]$/);
  });

  test('tells the application once for each notification', async () => {
    await using peer = await peers[name]();
    const notifier = openNotifier(name, ...peer.argv);
    for (let count = 1; count <= 3; count++) {
      expect(await notifier.notify(notice, new AbortController().signal)).toBeTypeOf('object');
      await until(() => peer.told() === count, { what: `notification ${count}` });
    }
  });

  test('throws a Fault with a hint when the application is not there', async () => {
    await using peer = await peers[name]();
    const notifier = openNotifier(name, ...peer.argv);
    await peer.leave();
    const error = await notifier.notify(notice, new AbortController().signal).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(Fault);
    expect((error as Fault).code).toMatch(/^NOTIFY_/);
    expect((error as Fault).hint).not.toMatch(/\{\w+\}/);
    expect((error as Fault).message).not.toMatch(/\{\w+\}/);
  });

  test('names its target without credentials, in errors too', async () => {
    await using peer = await peers[name]();
    const notifier = openNotifier(name, ...peer.argv);
    await peer.leave();
    const error = (await notifier
      .notify(notice, new AbortController().signal)
      .catch((error: unknown) => error)) as Fault;
    expect(notifier.target).not.toBe('');
    for (const words of [notifier.target, error.message, JSON.stringify(error.fields), String(error.cause)])
      expect(words).not.toContain('hunter2');
  });

  test('ends soon after the signal aborts', async () => {
    await using peer = await peers[name]();
    const notifier = openNotifier(name, ...peer.argv);
    const begun = performance.now();
    await notifier.notify(notice, AbortSignal.abort(new Error('stopping'))).catch(() => undefined);
    expect(performance.now() - begun).toBeLessThan(5000);
  });
});
