import { once } from 'node:events';
import { rename, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:tls';
import { makeVolume, scratch, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { inDays, issue, revoke } from './make.ts';
import { clientWith, type Served, serve } from './serve.ts';

const server = issue({ names: [{ dns: 'localhost' }] });
const authority = issue({ name: 'Clients', authority: true });
const used = 'certificateReloads{"result":"used"}';
const refused = 'certificateReloads{"result":"refused"}';
const notAfterOf = (file: string) => `certificateNotAfter${JSON.stringify({ file })}`;

type Write = (served: Served, name: string, content: string) => Promise<void>;
const ways: Record<string, Write> = {
  'a plain write': (served, name, content) => writeFile(served.directory.join(name), content),
  'a rename': async (served, name, content) => {
    await writeFile(served.directory.join('new'), content);
    await rename(served.directory.join('new'), served.directory.join(name));
  },
};

test.concurrent.each(Object.entries(ways))(
  'certificate and key are followed by %s, each pair by itself',
  async (_, write) => {
    const other = issue({ name: 'other', names: [{ dns: 'other.example' }] });
    // Without a periodic comparison: what is noticed was told by the kernel.
    await using served = await serve({ pairs: [server, other], tlsReloadPeriod: 86_400_000 });
    const notAfter = new Date('2031-02-03T04:05:06Z');
    const renewed = issue({ name: 'renewed', names: [{ dns: 'renewed.example' }], notAfter });
    await write(served, '1.crt', renewed.cert);
    await write(served, '1.key', renewed.key);
    await until(() => served.metrics[used] === 1);
    expect((await served.ask({ servername: 'renewed.example' })).shown).toBe('renewed');
    expect((await served.ask({ servername: 'other.example' })).shown).toBe('localhost');
    expect(served.termination.certificates[1]).toMatchObject({ names: ['renewed.example'] });
    expect(served.metrics[notAfterOf(served.directory.join('1.crt'))]).toBe(notAfter.getTime() / 1000);
    expect(served.metrics[refused]).toBeUndefined();
  },
);

test.concurrent.each(Object.entries(ways))(
  'authorities are followed by %s, and open connections stay',
  async (_, write) => {
    const client = clientWith(issue({ name: 'shop', issuer: authority }));
    await using served = await serve({ pairs: [server], ca: authority.cert, tlsReloadPeriod: 86_400_000 });
    const open = connect({ port: served.port, rejectUnauthorized: false, ...client });
    await once(open, 'secureConnect');
    const next = issue({ name: 'Next', authority: true });
    await write(served, 'ca.crt', next.cert);
    await until(() => served.metrics[used] === 1);
    expect((await served.ask(client)).identity).toBeUndefined();
    expect((await served.ask(clientWith(issue({ name: 'till', issuer: next })))).identity?.cn).toBe('till');
    open.write('?');
    expect(JSON.parse(String((await once(open, 'data'))[0]))).toMatchObject({ cn: 'shop' });
    open.destroy();
  },
);

test.concurrent('all of it is followed by a swap of ..data', async () => {
  const make = (name: string) => {
    const own = issue({ name, names: [{ dns: 'localhost' }] });
    const clients = issue({ name: `Clients ${name}`, authority: true });
    const files = { 'tls.crt': own.cert, 'tls.key': own.key, 'ca.crt': clients.cert, 'ca.crl': revoke(clients) };
    return { files, client: clientWith(issue({ name, issuer: clients })) };
  };
  const [before, after] = [make('before'), make('after')];
  await using directory = await scratch();
  const volume = await makeVolume(directory.join('tls'), before.files);
  const [certificate, key, ca, crl] = Object.keys(before.files).map((name) => directory.join('tls', name));
  await using served = await serve({
    pairs: [],
    ...{ tlsCertificateFile: [certificate ?? ''], tlsKeyFile: [key ?? ''], clientCaFile: ca, clientCrlFile: crl },
  });
  expect(await served.ask(before.client)).toMatchObject({ shown: 'before', identity: { cn: 'before' } });
  await volume.swap(after.files);
  await until(() => served.metrics[used] === 2);
  expect(await served.ask(after.client)).toMatchObject({ shown: 'after', identity: { cn: 'after' } });
  expect((await served.ask(before.client)).identity).toBeUndefined();
  expect(served.metrics[refused]).toBeUndefined();
});

test.concurrent.each([
  ['authorities that are none', 'ca.crt', () => 'rubbish', 'holds no PEM certificate'],
  [
    'authorities that are cut off',
    'ca.crt',
    () => `${authority.cert}${authority.cert.slice(0, 99)}`,
    'cannot be read: 2 of 2',
  ],
  ['a list that is none', 'ca.crl', () => 'rubbish', 'holds no PEM revocation list'],
  [
    'a list that is cut off',
    'ca.crl',
    () => revoke(authority).slice(0, 200),
    'holds a revocation list that cannot be read',
  ],
  [
    'a list of somebody else',
    'ca.crl',
    () => revoke(issue({ name: 'Other', authority: true })),
    'holds a list of "Other", which is not among the authorities',
  ],
  [
    'a list that somebody else signed',
    'ca.crl',
    () => revoke(authority, { by: issue() }),
    'holds a list that "Clients" has not signed',
  ],
  [
    'authorities with another kind of key under a name whose list is still the old one',
    'ca.crt',
    () => issue({ name: 'Clients', authority: true, kind: 'ed25519' }).cert,
    'holds a list that "Clients" has not signed',
  ],
  [
    'an expired list',
    'ca.crl',
    () => revoke(authority, { nextUpdate: inDays(-1), thisUpdate: inDays(-2) }),
    'that expired at',
  ],
  [
    'another authority without its list',
    'ca.crt',
    () => authority.cert + issue({ name: 'New', authority: true }).cert,
    'holds no list of "New"',
  ],
])('%s are not taken into use', async (_, name, content, detail) => {
  await using served = await serve({ pairs: [server], ca: authority.cert, crl: revoke(authority) });
  const client = clientWith(issue({ name: 'shop', issuer: authority }));
  const { session } = await served.ask(client);
  const began = served.termination.status.ticketKeysSince;
  await writeFile(served.directory.join(name), content());
  await until(() => served.metrics[refused] === 1);
  const { lastError, ticketKeysSince } = served.termination.status;
  expect(lastError?.detail).toContain(detail);
  expect(served.logs).toContainEqual(
    expect.objectContaining({ level: 'warn', message: expect.stringContaining(detail) }),
  );
  expect(served.termination.certificates.at(-1)?.problem).toContain(detail);
  // What was good before is in use as before.
  expect(ticketKeysSince).toBe(began);
  expect(await served.ask({ ...client, session })).toMatchObject({ reused: true, identity: { cn: 'shop' } });
  expect((await served.ask(client)).identity?.cn).toBe('shop');
});

test.concurrent('a key that does not match is said with its file, until it does', async () => {
  await using served = await serve({ pairs: [server] });
  const renewed = issue({ name: 'renewed' });
  await writeFile(served.directory.join('0.crt'), renewed.cert);
  await until(() => served.metrics[refused] === 1);
  const { lastError } = served.termination.status;
  expect(lastError).toMatchObject({
    file: served.directory.join('0.key'),
    detail: 'is not the key of the certificate',
  });
  expect((await served.ask()).shown).toBe('localhost');
  await writeFile(served.directory.join('0.key'), renewed.key);
  await until(() => served.metrics[used] === 1);
  expect((await served.ask()).shown).toBe('renewed');
  expect(served.termination.certificates[0]?.problem).toBeUndefined();
});

test.concurrent('a certificate that could not be chosen by name is not taken into use, and lists are all the same', async () => {
  const thief = issue({ name: 'thief', issuer: authority });
  await using served = await serve({ pairs: [server], ca: authority.cert, crl: revoke(authority) });
  const { cert } = issue({ key: server.privateKey, names: [{ dns: 'localhost' }], twice: true });
  await writeFile(served.directory.join('0.crt'), cert);
  await until(() => served.metrics[refused] === 1);
  expect(served.termination.certificates[0]?.problem).toContain('two sets of alternative names');
  await writeFile(served.directory.join('ca.crl'), revoke(authority, { revoked: [thief] }));
  await until(() => served.metrics[used] === 1);
  await served.ask(clientWith(thief));
  expect(served.refused).toMatchObject([{ refusal: 'certificate_revoked' }]);
  expect((await served.ask()).shown).toBe('localhost');
});

test.concurrent('a list that goes away is missed, not done without', async () => {
  const thief = issue({ name: 'thief', issuer: authority });
  await using served = await serve({
    pairs: [server],
    ca: authority.cert,
    crl: revoke(authority, { revoked: [thief] }),
  });
  await rm(served.directory.join('ca.crl'));
  await until(() => served.metrics[refused] === 1);
  expect(served.termination.status.lastError?.detail).toBe('no such file');
  await served.ask(clientWith(thief));
  expect(served.refused).toMatchObject([{ refusal: 'certificate_revoked' }]);
});

test.concurrent('a fresh list takes the place of an expired one', async () => {
  const expired = revoke(authority, { thisUpdate: inDays(-3), nextUpdate: inDays(-2) });
  await using served = await serve({ pairs: [server], ca: authority.cert, crl: expired });
  expect(served.health.passes('readyz')).toBe(false);
  const nextUpdate = new Date('2031-02-03T04:05:06Z');
  await writeFile(served.directory.join('ca.crl'), revoke(authority, { nextUpdate }));
  await until(() => served.metrics[used] === 1);
  expect(served.health.passes('readyz')).toBe(true);
  expect(served.termination.status.revocationListsUntil).toBe(nextUpdate.toISOString());
  const file = served.directory.join('ca.crl');
  expect(served.metrics[`crlNextUpdate${JSON.stringify({ file })}`]).toBe(nextUpdate.getTime() / 1000);
  expect((await served.ask(clientWith(issue({ name: 'shop', issuer: authority })))).identity?.cn).toBe('shop');
});

test.concurrent('an expired certificate is served, because some client may still want it, but is not ready', async () => {
  const late = issue({ name: 'late', notBefore: inDays(-9), notAfter: inDays(-8) });
  await using served = await serve({ pairs: [server, late] });
  const [check] = served.health.results('readyz');
  expect(check).toMatchObject({ name: 'certificate', reason: expect.stringMatching(/1\.crt expired at \d{4}-/) });
  expect((await served.ask({ servername: 'late' })).shown).toBe('late');
});

test('no handshake fails while certificates and authorities are changed under many clients', async () => {
  await using served = await serve({ pairs: [server], ca: authority.cert });
  const client = clientWith(issue({ name: 'shop', issuer: authority }));
  let done = false;
  const answers: string[] = [];
  const come = async () => {
    while (!done) {
      const { shown, identity, error } = await served.ask(client);
      answers.push(error ?? `${identity?.cn} at ${shown}`);
    }
  };
  const clients = [come(), come(), come(), come()];
  for (let at = 1; at <= 10; at++) {
    // Certificate and key are two files: half of a change is never shown.
    const renewed = issue({ name: `${at}` });
    await writeFile(served.directory.join('0.crt'), renewed.cert);
    await writeFile(served.directory.join('0.key'), renewed.key);
    await writeFile(served.directory.join('ca.crt'), authority.cert + issue({ name: `${at}`, authority: true }).cert);
    const what = () => `change ${at}: ${JSON.stringify([served.metrics, served.logs.slice(-3)])}`;
    await until(() => served.metrics[used] === 2 * at, { what });
  }
  await until(() => answers.at(-1) === 'shop at 10', { what: () => `the end of ${answers.slice(-5)}` });
  done = true;
  await Promise.all(clients);
  expect(new Set(answers.map((answer) => answer.replace(/ at (localhost|\d+)$/, '')))).toEqual(new Set(['shop']));
  expect(served.errors).toEqual([]);
});

test.concurrent('what is wrong when it is taken into use is not said to be in use', async () => {
  await using served = await serve({ pairs: [server], ca: authority.cert });
  Object.assign(served.settings, { tlsMinimumVersion: 'none' });
  await writeFile(served.directory.join('ca.crt'), issue({ name: 'Next', authority: true }).cert);
  await until(() => served.metrics[refused] === 1);
  await writeFile(served.directory.join('0.crt'), issue({ key: server.privateKey, name: 'renewed' }).cert);
  await until(() => served.metrics[refused] === 2);
  expect(served.logs.filter(({ level }) => level === 'info')).toEqual([]);
  expect(served.metrics[used]).toBeUndefined();
  expect((await served.ask(clientWith(issue({ name: 'shop', issuer: authority })))).shown).toBe('localhost');
});

test.concurrent('dates that are none are refused, and the process goes on', async () => {
  const ca = authority.cert;
  await using served = await serve({ pairs: [server], ca, crl: revoke(authority) });
  const notAfter = '20319999999999Z';
  await writeFile(served.directory.join('0.crt'), issue({ key: server.privateKey, notAfter }).cert);
  await until(() => served.metrics[refused] === 1);
  expect(served.termination.certificates[0]?.problem).toBe('holds a certificate that cannot be read');
  await writeFile(served.directory.join('ca.crt'), ca + issue({ name: 'Next', authority: true, notAfter }).cert);
  await until(() => served.metrics[refused] === 2);
  expect(served.termination.status.lastError?.detail).toBe('holds a certificate that cannot be read: 2 of 2');
  await writeFile(served.directory.join('ca.crt'), ca);
  await writeFile(served.directory.join('ca.crl'), revoke(authority, { nextUpdate: '20310231000000Z' }));
  await until(() => served.metrics[refused] === 3);
  expect(served.termination.status.lastError?.detail).toContain('holds a revocation list that cannot be read');
  expect((await served.ask(clientWith(issue({ name: 'shop', issuer: authority })))).identity?.cn).toBe('shop');
});

test.concurrent('a certificate that no name leads to any more is warned of once', async () => {
  const other = issue({ name: 'other', names: [{ dns: 'other.example' }] });
  await using served = await serve({ pairs: [server, other] });
  const renew = (...names: string[]) =>
    writeFile(
      served.directory.join('1.crt'),
      issue({ key: other.privateKey, names: names.map((dns) => ({ dns })) }).cert,
    );
  await renew('localhost');
  await until(() => served.metrics[used] === 1);
  const warnings = () => served.logs.filter(({ level }) => level === 'warn');
  expect(warnings()).toMatchObject([{ message: expect.stringContaining('never shown') }]);
  expect(warnings()[0]?.fields).toEqual({ file: served.directory.join('1.crt') });
  await renew('LOCALHOST');
  await until(() => served.metrics[used] === 2);
  expect(warnings()).toHaveLength(1);
});
