import { writeFile } from 'node:fs/promises';
import { until } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import { issue, revoke } from './make.ts';
import { clientWith, serve } from './serve.ts';

const authority = issue({ name: 'Clients', authority: true });
const server = issue({ names: [{ dns: 'localhost' }] });
const used = 'certificateReloads{"result":"used"}';

/** Late enough for a first handshake on a busy machine. Certificates have whole seconds. */
const soon = () => new Date(Math.ceil(Date.now() / 1000 + 3) * 1000);

describe.concurrent.each(['TLSv1.2', 'TLSv1.3'] as const)('a session of %s', (version) => {
  const only = { minVersion: version, maxVersion: version };

  test('is resumed, and the client is who it was', async () => {
    await using served = await serve({ pairs: [server], ca: authority.cert });
    const client = clientWith(issue({ name: 'shop', names: [{ dns: 'shop.example' }], issuer: authority }), only);
    const first = await served.ask(client);
    expect(first).toMatchObject({ reused: false, protocol: version, identity: { cn: 'shop', dns: ['shop.example'] } });
    const second = await served.ask({ ...client, session: first.session });
    expect(second).toMatchObject({ reused: true, identity: first.identity });
  });

  test('is not resumed after its certificate was revoked', async () => {
    const crl = revoke(authority);
    await using served = await serve({ pairs: [server], ca: authority.cert, crl });
    const certificate = issue({ name: 'thief', issuer: authority });
    const client = clientWith(certificate, only);
    const { session, identity } = await served.ask(client);
    expect(identity?.cn).toBe('thief');
    expect((await served.ask({ ...client, session })).reused).toBe(true);
    await writeFile(served.directory.join('ca.crl'), revoke(authority, { revoked: [certificate] }));
    await until(() => served.metrics[used] === 1);
    const after = await served.ask({ ...client, session });
    expect(after).toMatchObject({ reused: false, identity: undefined });
    expect(served.refused).toMatchObject([{ refusal: 'certificate_revoked' }]);
  });

  test('is not resumed after its authority is gone', async () => {
    const other = issue({ name: 'Others', authority: true });
    await using served = await serve({ pairs: [server], ca: authority.cert + other.cert });
    const client = clientWith(issue({ name: 'shop', issuer: authority }), only);
    const { session } = await served.ask(client);
    await writeFile(served.directory.join('ca.crt'), other.cert);
    await until(() => served.metrics[used] === 1);
    expect(await served.ask({ ...client, session })).toMatchObject({ reused: false, identity: undefined });
    expect(served.refused).toMatchObject([{ refusal: 'certificate_untrusted' }]);
  });

  test('is not good for a client that was taken off the allow-lists', async () => {
    await using served = await serve({ pairs: [server], ca: authority.cert, clientAllowCn: ['shop', 'till'] });
    const client = clientWith(issue({ name: 'till', issuer: authority }), only);
    const { session, identity } = await served.ask(client);
    expect(identity?.cn).toBe('till');
    served.settings.clientAllowCn = ['shop'];
    expect((await served.ask({ ...client, session })).identity).toBeUndefined();
    expect((await served.ask({ ...client, session })).identity).toBeUndefined();
    expect(served.refused).toMatchObject(Array(2).fill({ refusal: 'certificate_not_allowed' }));
    served.settings.clientAllowCn = ['till'];
    expect(await served.ask({ ...client, session })).toMatchObject({ reused: true, identity: { cn: 'till' } });
  });

  test('is not resumed after the certificate has expired', async () => {
    await using served = await serve({ pairs: [server], ca: authority.cert });
    const notAfter = soon();
    const client = clientWith(issue({ name: 'late', issuer: authority, notAfter }), only);
    const { session, identity } = await served.ask(client);
    expect(identity?.cn).toBe('late');
    await until(() => Date.now() > notAfter.getTime());
    const { reused, identity: after } = await served.ask({ ...client, session });
    expect({ reused, after }).toEqual({ reused: true, after: undefined });
    expect(served.refused).toMatchObject([{ refusal: 'certificate_expired' }]);
  });

  test('is not resumed after the revocation list has expired', async () => {
    const nextUpdate = soon();
    const crl = revoke(authority, { nextUpdate });
    await using served = await serve({ pairs: [server], ca: authority.cert, crl });
    const client = clientWith(issue({ name: 'shop', issuer: authority }), only);
    const { session, identity } = await served.ask(client);
    expect(identity?.cn).toBe('shop');
    await until(() => Date.now() > nextUpdate.getTime());
    const { reused, identity: after } = await served.ask({ ...client, session });
    expect({ reused, after }).toEqual({ reused: false, after: undefined });
    expect(served.refused).toMatchObject([{ refusal: 'certificate_untrusted', detail: 'CRL_HAS_EXPIRED' }]);
    expect(served.health.results('readyz')).toContainEqual(
      expect.objectContaining({ name: 'client authorities', reason: expect.stringContaining('expired at') }),
    );
  });

  test('is not resumed after its authority has expired, while others are good', async () => {
    const notAfter = soon();
    const old = issue({ name: 'Old', authority: true, notAfter });
    await using served = await serve({ pairs: [server], ca: old.cert + authority.cert });
    const client = clientWith(issue({ name: 'shop', issuer: old }), only);
    const { session, identity } = await served.ask(client);
    expect(identity?.cn).toBe('shop');
    expect((await served.ask({ ...client, session })).reused).toBe(true);
    await until(() => Date.now() > notAfter.getTime());
    expect(await served.ask({ ...client, session })).toMatchObject({ reused: false, identity: undefined });
    expect(served.refused).toMatchObject([{ refusal: 'certificate_expired', detail: 'CERT_HAS_EXPIRED' }]);
  });

  test("comes from one authority, and another's list has expired: the client is let in", async () => {
    const nextUpdate = soon();
    const other = issue({ name: 'Others', authority: true });
    const crl = revoke(other, { nextUpdate }) + revoke(authority);
    await using served = await serve({ pairs: [server], ca: other.cert + authority.cert, crl });
    const client = clientWith(issue({ name: 'shop', issuer: authority }), only);
    const { session } = await served.ask(client);
    await until(() => Date.now() > nextUpdate.getTime());
    const after = await served.ask({ ...client, session });
    expect(after).toMatchObject({ reused: false, identity: { cn: 'shop' } });
    // The keys are new once, and not for each connection from then on.
    expect((await served.ask({ ...client, session: after.session })).reused).toBe(true);
    expect(served.refused).toEqual([]);
  });

  test('that began with a refusal stays refused', async () => {
    await using served = await serve({ pairs: [server], ca: authority.cert, clientCertificate: 'optional' });
    const client = clientWith(issue({ name: 'stranger' }), only);
    const { session } = await served.ask(client);
    const again = await served.ask({ ...client, session });
    expect(again).toMatchObject({ reused: true, identity: { refusal: 'certificate_untrusted' } });
  });

  test('is not given to a client that is not let in', async () => {
    await using served = await serve({ pairs: [server], ca: authority.cert });
    const { session } = await served.ask(clientWith(issue({ name: 'stranger' }), only));
    expect(session).toBeUndefined();
    expect(served.refused).toMatchObject([{ refusal: 'certificate_untrusted' }]);
  });

  test('lasts over a new certificate of the server', async () => {
    await using served = await serve({ pairs: [server] });
    const { session } = await served.ask(only);
    await writeFile(served.directory.join('0.crt'), issue({ key: server.privateKey, name: 'renewed' }).cert);
    await until(() => served.metrics[used] === 1);
    expect((await served.ask(only)).shown).toBe('renewed');
    expect((await served.ask({ ...only, session })).reused).toBe(true);
  });

  test('does not last over new ticket keys', async () => {
    await using served = await serve({ pairs: [server] });
    const { session } = await served.ask(only);
    expect((await served.ask({ ...only, session })).reused).toBe(true);
    const began = served.termination.status.ticketKeysSince;
    // As a changed file of parameters does.
    served.settings.tlsTicketRotation = 500;
    await until(() => Date.now() - Date.parse(began) > 500);
    const after = await served.ask({ ...only, session });
    expect(after.reused).toBe(false);
    expect(after.identity).toBeDefined();
  });

  test('is resumed under another name of the same proxy, by the same ticket keys', async () => {
    const one = issue({ name: 'one', names: [{ dns: 'one.example' }] });
    const two = issue({ name: 'two', names: [{ dns: 'two.example' }] });
    await using served = await serve({ pairs: [one, two], ca: authority.cert, clientCertificate: 'optional' });
    const client = clientWith(issue({ name: 'shop', issuer: authority }), { ...only, servername: 'two.example' });
    const { session, shown } = await served.ask(client);
    expect(shown).toBe('two');
    const again = await served.ask({ ...client, session });
    expect(again).toMatchObject({ reused: true, identity: { cn: 'shop' } });
  });
});

test('new ticket keys that cannot be had are said once, and everybody is served with the old ones', async () => {
  await using served = await serve({ pairs: [server] });
  const { session } = await served.ask();
  const wrong = { tlsTicketRotation: 0, tlsMinimumVersion: 'none' as '1.2' };
  Object.assign(served.settings, wrong);
  for (let i = 0; i < 5; i++) expect(await served.ask({ session })).toMatchObject({ reused: true, error: undefined });
  expect(served.logs.filter(({ level }) => level === 'warn')).toHaveLength(1);
});
