// What every sidecar makes of its parameters: command line, config file, secrets, annotations, reading again.

import { readFile, writeFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import type { Ended, Started, ValidArguments } from './contract.ts';
import { scratch } from './scratch.ts';
import { until } from './until.ts';

export function parametersContract(started: Started, ended: Ended, validArguments: ValidArguments): void {
  const check = async (...wrong: string[]) => {
    await using directory = await scratch();
    return await ended([...(await validArguments(directory.path)), ...wrong]);
  };

  test('wrong parameters are listed all at once with exit code 64 and no stack trace', async () => {
    const { code, stderr } = await check('--drain-timeuot', '3s', '--log-level', 'lound', '--drain-timeout', 'soon');
    expect(code).toBe(64);
    expect(stderr).toContain('3 parameters are wrong');
    expect(stderr).toMatch(/--drain-timeuot +unknown; did you mean --drain-timeout\?/);
    expect(stderr).toMatch(/--log-level +lound \(--log-level\): trace, debug, info, warn or error is expected/);
    expect(stderr).toMatch(/--drain-timeout +soon \(--drain-timeout\): a duration such as/);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  test('a config file with bad YAML or an unknown key is named with its line', async () => {
    await using directory = await scratch();
    await writeFile(directory.join('bad.yaml'), 'logLevel: info\nlogFormat: [json\n');
    await writeFile(directory.join('unknown.yaml'), 'logLevel: info\nlogLevle: debug\n');
    const bad = await check('--config', directory.join('bad.yaml'));
    expect(bad.code).toBe(64);
    expect(bad.stderr).toMatch(/--config +\S+bad\.yaml:\d+:\d+: /);
    const unknown = await check('--config', directory.join('unknown.yaml'));
    expect(unknown.code).toBe(64);
    expect(unknown.stderr).toMatch(/logLevle +\(\S+unknown\.yaml:2:1\): unknown; did you mean logLevel\?/);
    const missing = await check('--config', directory.join('missing.yaml'));
    expect(missing.stderr).toMatch(/--config +\S+missing\.yaml: no such file/);
  });

  test('an admin port in use is one clear line with exit code 1', async () => {
    await using running = await started();
    await using directory = await scratch();
    const adminAddress = new URL(running.sidecar.url).host;
    const { code, stderr } = await ended(await validArguments(directory.path), { adminAddress });
    expect(code).toBe(1);
    expect(stderr).toContain(`--admin-address  ${adminAddress} (--admin-address): the address is already in use`);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  test('a failure leaves its reason in the termination message file', async () => {
    await using directory = await scratch();
    await writeFile(directory.join('message'), '');
    await check('--termination-message-file', directory.join('message'), '--drain-timeout', 'soon');
    expect(await readFile(directory.join('message'), 'utf8')).toContain('1 parameter is wrong');
  });

  test('--check accepts a valid command line and starts nothing', async () => {
    const { code, stdout, stderr } = await check('--check');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('all parameters are right');
  });

  test('--help, --version, --json-schema, --openapi and --print-config print and exit 0', async () => {
    const help = await ended(['--help']);
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('--drain-timeout <duration>');
    expect((await ended(['--version'])).stdout).toMatch(/^[a-z-]+ \d+\.\d+\.\d+\n$/);
    expect(JSON.parse((await ended(['--json-schema'])).stdout)).toMatchObject({ type: 'object' });
    expect(JSON.parse((await ended(['--openapi'])).stdout)).toMatchObject({ openapi: '3.1.0' });
    expect((await check('--print-config')).stdout).toContain('# default\ndrainTimeout: 20s\n');
  });

  test('a secret is read from its file and shown nowhere', async () => {
    await using directory = await scratch();
    await writeFile(directory.join('token'), 'hush-hush\n');
    const env = { OUTRIGGER_ADMIN_TOKEN_FILE: directory.join('token'), OUTRIGGER_LOG_LEVEL: 'trace' };
    await using running = await started({ env });
    const { sidecar } = running;
    expect((await sidecar.post('/v1/parameters/reload')).status).toBe(401);
    const headers = { authorization: 'Bearer hush-hush' };
    const reloaded = await sidecar.post('/v1/parameters/reload', { headers });
    expect(reloaded.status).toBe(200);
    const pages = ['/v1/parameters', '/v1/status', '/metrics'].map(async (path) => (await sidecar.get(path)).text());
    const [parameters = '', ...others] = await Promise.all(pages);
    expect(parameters).toContain(`[file ${directory.join('token')}]`);
    const printed = await check('--print-config', '--admin-token-file', directory.join('token'));
    const said = [
      parameters,
      ...others,
      await reloaded.text(),
      sidecar.stdout,
      sidecar.stderr,
      ...Object.values(printed),
    ];
    expect(said.filter((each) => String(each).includes('hush-hush'))).toEqual([]);
  });

  test('a secret on the command line, or in a file that is missing, is refused without being shown', async () => {
    const { code, stderr } = await check('--admin-token', 'hush-hush', '--admin-token-file', '/nonexistent/token');
    expect(code).toBe(64);
    expect(stderr).toMatch(/--admin-token +unknown; did you mean --admin-token-file\?/);
    expect(stderr).toMatch(/--admin-token-file +\/nonexistent\/token \(--admin-token-file\): no such file/);
    expect(stderr).not.toContain('hush-hush');
  });

  test('a changed config file is taken, or refused whole with the place of what is wrong', async () => {
    await using directory = await scratch();
    const file = directory.join('config.yaml');
    await writeFile(file, 'logLevel: info\n');
    await using running = await started({ env: { OUTRIGGER_CONFIG: file } });
    const { sidecar } = running;
    const levelIs = (value: string, place: string) =>
      until(async () => {
        const { logLevel } = (await (await sidecar.get('/v1/parameters')).json()) as Record<string, object>;
        return isDeepStrictEqual(logLevel, { value, source: `${file}:${place}`, reloadable: true });
      });
    await writeFile(file, '# more is said\nlogLevel: debug\n');
    await levelIs('debug', '2:1');
    await writeFile(file, 'logLevel: warn\ndrainTimeout: soon\n');
    const refused = await sidecar.post('/v1/parameters/reload');
    expect(refused.status).toBe(422);
    const problem = { parameter: '--drain-timeout', value: 'soon', source: `${file}:2:1` };
    expect(await refused.json()).toMatchObject({ code: 'PARAMETERS', problems: [problem] });
    await levelIs('debug', '2:1');
    expect(await (await sidecar.get('/metrics')).text()).toContain('outrigger_parameters_valid 0\n');
  });

  test('an annotation of the Pod gives a value, and a new one is taken when the kubelet refreshes it', async () => {
    await using directory = await scratch();
    const role = /^\S+/.exec((await ended(['--version'])).stdout)![0];
    const annotate = (level: string) =>
      writeFile(directory.join('annotations'), `outrigger.dev/${role}.log-level="${level}"\n`);
    await annotate('info');
    await using running = await started({ env: { OUTRIGGER_POD_INFO_DIRECTORY: directory.path } });
    const { sidecar } = running;
    const levelIs = (value: string) =>
      until(async () => {
        const { logLevel } = (await (await sidecar.get('/v1/parameters')).json()) as Record<string, { source: string }>;
        expect(logLevel?.source).toBe(`annotation outrigger.dev/${role}.log-level`);
        return (logLevel as { value?: string }).value === value;
      });
    await levelIs('info');
    await annotate('debug');
    await levelIs('debug');
  });
}
