import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { ledgerOf, metric, sequence, text, workplace } from './shipper.ts';

const corrupt: Record<string, string> = {
  'is empty': '',
  'is cut off': '{"version":1,"files":[{"path":"/lo',
  'is of a later version': '{"version":2,"since":"0","files":[],"youngest":[]}',
  'holds an offset before the file':
    '{"version":1,"files":[{"path":"/a","device":"1","inode":"1","born":"0","modified":"0","size":1,"head":{"offset":0,"print":""},"sinks":{"stdout":{"offset":-1,"print":""}}}],"since":"0","youngest":[]}',
  'holds something else': '[1, 2, 3]',
};

for (const [how, content] of Object.entries(corrupt)) {
  test(`a state file that ${how} is kept aside and reported, and files are read from their beginning`, async () => {
    await using place = await workplace();
    await writeFile(place.state('positions.json'), content);
    await place.append('one\n');
    await using shipper = await place.ship();
    await until(() => shipper.stdout === 'one\n');
    const report = shipper.logs().find(({ code }) => code === 'LOG_SHIPPER_STATE_CORRUPT');
    expect(report).toMatchObject({ level: 'error', path: place.state('positions.json') });
    expect(await readFile(String(report?.aside), 'utf8')).toBe(content);
    await until(async () => (await readdir(place.state())).includes('positions.json'));
  });
}

test('a state file that is a symbolic link or a directory is not followed', async () => {
  await using place = await workplace();
  await writeFile(place.log('elsewhere'), '{"version":1,"since":"0","files":[],"youngest":[]}');
  await symlink(place.log('elsewhere'), place.state('positions.json'));
  await place.append('one\n');
  {
    await using shipper = await place.ship();
    await until(() => shipper.stdout === 'one\n');
    expect(shipper.stderr).toContain('a symbolic link');
    shipper.kill('SIGTERM');
    await shipper.exited;
  }
  expect(await readFile(place.log('elsewhere'), 'utf8')).toBe('{"version":1,"since":"0","files":[],"youngest":[]}');
  await unlink(place.state('positions.json'));
  await mkdir(place.state('positions.json'));
  await using again = await place.ship();
  await until(() => again.stdout === 'one\n');
  expect(again.stderr).toContain('not a regular file');
});

test('a second shipper on the same state directory is refused, and may have it when the first is gone', async () => {
  await using place = await workplace();
  {
    await using first = await place.ship();
    await using second = await place.ship([], { wait: false });
    expect((await second.exited).code).toBe(1);
    expect(second.stderr).toContain('another log-shipper is using it');
    expect(second.stderr).toContain('--state-directory');
    expect(second.stderr).not.toMatch(/^ +at /m);
    first.kill('SIGKILL');
    await first.exited;
  }
  await using third = await place.ship();
  expect((await third.get('/livez')).status).toBe(200);
});

test('a state directory that does not exist or is none is one clear line with exit code 64', async () => {
  await using place = await workplace();
  await using missing = await place.ship(['--state-directory', place.state('missing')], { wait: false });
  expect((await missing.exited).code).toBe(64);
  expect(missing.stderr).toContain(
    `--state-directory  ${place.state('missing')} (--state-directory): no such directory`,
  );
  await using unsaid = await place.ship(['--source-file-paths', '', '--sink', 'loki'], { wait: false });
  expect((await unsaid.exited).code).toBe(64);
  expect(unsaid.stderr).toMatch(/--sink-loki-url +is required/);
});

test('a value that turns out wrong only when it is used is one clear line with exit code 64', async () => {
  await using place = await workplace();
  await mkdir(place.state('lock'));
  await using locked = await place.ship([], { wait: false });
  expect((await locked.exited).code).toBe(64);
  expect(locked.stderr).toMatch(/--state-directory +\S+ \(--state-directory\): "\S+\/lock" cannot be locked/);
  await rm(place.state('lock'), { recursive: true });
  await using nowhere = await place.ship(['--source', 'syslog'], { wait: false });
  expect((await nowhere.exited).code).toBe(64);
  expect(nowhere.stderr).toMatch(/--source-syslog-tcp-address +is needed, or an address for UDP/);
});

test('a state directory that is gone takes readiness away, also while nothing is logged', async () => {
  await using place = await workplace();
  await using shipper = await place.ship();
  await until(async () => (await shipper.get('/readyz')).ok);
  await rename(place.state(), `${place.state()}.away`);
  const said = async () => (await shipper.get('/readyz')).text();
  await until(async () => (await said()).includes('[-]state directory failed: '), { deadline: 15_000 });
  await rename(`${place.state()}.away`, place.state());
  await until(async () => (await shipper.get('/readyz')).ok, { deadline: 15_000 });
});

const mountable = (() => {
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
})();

test.skipIf(!mountable)(
  `while its disk is full, state is reported once, retried, and shipping goes on${mountable ? '' : ' (skipped: mounting a small tmpfs needs root)'}`,
  async () => {
    await using place = await workplace();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place.state()]);
    try {
      await using shipper = await place.ship();
      await writeFile(place.state('ballast'), Buffer.alloc(256 * 1024)).catch(() => undefined);
      await place.append(text(sequence(1, 100)));
      await until(() => shipper.stdout === text(sequence(1, 100)));
      const reports = () => shipper.logs().filter(({ code }) => code === 'LOG_SHIPPER_STATE_UNWRITABLE');
      await until(() => reports().length > 0);
      await until(async () => (await metric(shipper, 'checkpoints_total{result="failed"}')) >= 3);
      expect(reports().length).toBe(1);
      expect((await shipper.get('/readyz')).status).toBe(503);
      expect((await ledgerOf(shipper)).checkpoint.trouble).toContain('ENOSPC');
      await unlink(place.state('ballast'));
      await until(() => shipper.logs().some(({ message }) => message === 'State file is written again'));
      expect((await shipper.get('/readyz')).status).toBe(200);
      shipper.kill('SIGTERM');
      expect((await shipper.exited).code).toBe(0);
      await using again = await place.ship();
      await place.append('next\n');
      await until(() => again.stdout === 'next\n');
    } finally {
      execFileSync('umount', ['--lazy', place.state()]);
    }
  },
);
