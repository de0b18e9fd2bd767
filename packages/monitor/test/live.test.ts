import { copyFile } from 'node:fs/promises';
import { scratch, startSidecar, until } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import { browser, openPage } from './browser.ts';
import { sidecarPeer } from './peer.ts';
import { runProcess } from './run-process.ts';

const main = import.meta.resolve('../src/main.ts');
const patient = { deadline: 20_000 };

describe.runIf(browser)('in a browser the page', () => {
  test('follows processes and sidecars, keeps the focus, pauses, and says when contact is lost', async () => {
    const of = (container: string) => ({ OUTRIGGER_POD_ID: `live-${process.pid}`, OUTRIGGER_CONTAINER: container });
    await using directory = await scratch();
    const name = '<i id=hurt>';
    await copyFile('/bin/sleep', directory.join(name));
    let reasons: string | undefined;
    await using peer = await sidecarPeer(() => reasons);
    const args = ['--sidecars', `proxy=${peer.url}`, '--health-period', '100ms', '--sample-period', '100ms'];
    await using monitor = await startSidecar(main, args, { env: of('monitor'), ready: true });
    await using page = await openPage(monitor.url);
    const shows = (words: string) =>
      page.evaluate<boolean>(`document.querySelector('main')?.innerText.includes(${JSON.stringify(words)}) ?? false`);
    const live = () => page.evaluate<string>(`document.querySelector('#live')?.textContent ?? ''`);

    await until(async () => (await live()) === 'Live', patient);
    await page.evaluate(`document.querySelector('.tiles a').focus()`);
    reasons = '[-]upstream failed: nobody home since 2026-01-01T00:00:00Z\n';
    await using app = await runProcess(directory.join(name), ['60'], { env: of('billing') });
    await until(async () => (await shows(name)) && (await shows('nobody home')), patient);
    expect(await page.evaluate(`document.querySelector('#hurt')`)).toBe(null);
    expect(await page.evaluate('document.activeElement.textContent')).toBe('proxy');
    expect(await page.evaluate('document.title')).toContain('0/1 ready');

    await page.evaluate(`document.querySelector('#pause').click()`);
    expect(await live()).toBe('Paused');
    await app[Symbol.asyncDispose]();
    expect(await shows(name)).toBe(true);
    await page.evaluate(`document.querySelector('#pause').click()`);
    await until(async () => !(await shows(name)), patient);
    // Nothing was refused by the page's policy and nothing went wrong in the script.
    expect(page.complaints).toEqual([]);

    monitor.kill('SIGKILL');
    await until(async () => (await live()).startsWith('No answer since'), patient);
  }, 60_000);
});
