// Peers that vanish: their machine loses power, and no FIN or RST says so. Only a deadline can tell.

import { fileURLToPath } from 'node:url';
import { until } from '@outrigger/core/testing';
import { expect, test, vi } from 'vitest';
import { startApplication } from './proxy/application.ts';
import { Broken, HttpClient, requestOf } from './proxy/client.ts';
import { openElsewhere } from './proxy/elsewhere.ts';
import { startProxyProcess } from './proxy/program.ts';

vi.setConfig({ testTimeout: 90_000 });

const vanishing = fileURLToPath(new URL('proxy/vanishing.ts', import.meta.url));

test('clients that vanish in every state of a connection are let go', async () => {
  await using elsewhere = openElsewhere();
  await using application = await startApplication();
  const limits = ['head', 'idle', 'client', 'tunnel'].flatMap((which) => [`--${which}-timeout`, '4s']);
  const options = { upstream: application.url, tls: false, host: elsewhere.here, flags: limits };
  await using proxy = await startProxyProcess(options);
  const files = proxy.files();
  const args = [vanishing, 'clients', elsewhere.here, String(proxy.port)];
  await using clients = await elsewhere.start(process.execPath, args, { ready: /ready/ });
  const wanted = ['active', 'active', 'idle', 'idle', 'reading', 'tunnel'];
  await until(async () => (await proxy.connections()).toSorted().join() === wanted.join(), {
    what: 'the clients to be in place',
  });
  elsewhere.vanish();
  clients.kill('SIGKILL');
  // It cannot know yet.
  expect((await proxy.connections()).length).toBeGreaterThan(0);
  await proxy.idle(20_000);
  expect(proxy.files()).toBe(files);
  expect(await proxy.metric('abandoned_total')).toBeGreaterThanOrEqual(1);
});

test('an application that vanishes costs its requests no more than the time-outs, and may come back', async () => {
  await using elsewhere = openElsewhere();
  const args = [vanishing, 'application', elsewhere.there];
  await using application = await elsewhere.start(process.execPath, args, { ready: /http:\S+\n/ });
  const upstream = application.stdout.trim();
  const limits = ['--upstream-timeout', '2s', '--upstream-connect-timeout', '1s', '--upstream-idle-timeout', '1m'];
  await using proxy = await startProxyProcess({ upstream, tls: false, flags: ['--allow-plain-upstream', ...limits] });
  using downloading = await HttpClient.open(proxy);
  downloading.send(requestOf(`/fill/${64 << 20}/download`));
  await until(() => downloading.socket.bytesRead > 0);
  using waiting = await HttpClient.open(proxy);
  expect((await waiting.get('/echo/before')).status).toBe(200);
  elsewhere.vanish();
  // Half a response never looks whole.
  const cut = downloading.response(() => undefined).catch((error: unknown) => error);
  // On the connection that was kept, then on one that never comes to be.
  const statuses = [(await waiting.get('/echo/kept')).status, (await waiting.get('/echo/new')).status];
  expect(statuses).toEqual([504, 504]);
  expect(await cut).toSatisfy((error) => error instanceof Broken && error.began);
  elsewhere.appear();
  await until(async () => (await waiting.get('/echo/after')).status === 200, { what: 'the application to be back' });
  waiting.socket.destroy();
  // It is gone for good: nobody waits for it, and nothing is kept for it.
  elsewhere.vanish();
  await application[Symbol.asyncDispose]();
  using last = await HttpClient.open(proxy);
  expect((await last.get('/echo/last')).status).toBe(504);
  last.socket.destroy();
  await proxy.idle(15_000);
});
