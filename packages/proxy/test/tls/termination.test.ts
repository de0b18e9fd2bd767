import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import { connect } from 'node:tls';
import { until } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import { inDays, issue, revoke } from './make.ts';
import { clientWith, serve } from './serve.ts';

const authority = issue({ name: 'Clients', authority: true });
const localhost = issue({ names: [{ dns: 'localhost' }] });

describe('versions and ciphers', () => {
  test.each(['TLSv1', 'TLSv1.1'] as const)('%s is refused', async (version) => {
    await using served = await serve({ pairs: [localhost] });
    // OpenSSL's own level of security would not let the client speak it either.
    const old = { minVersion: version, maxVersion: version, ciphers: 'ALL@SECLEVEL=0' } as const;
    const { identity, error } = await served.ask(old);
    expect(identity).toBeUndefined();
    expect(error).toContain('alert protocol version');
    expect(served.errors[0]?.code).toBe('ERR_SSL_UNSUPPORTED_PROTOCOL');
  });

  test('1.2 is refused where 1.3 is the oldest', async () => {
    await using served = await serve({ pairs: [localhost], tlsMinimumVersion: '1.3' });
    expect((await served.ask({ maxVersion: 'TLSv1.2' })).error).toContain('alert protocol version');
    expect((await served.ask()).protocol).toBe('TLSv1.3');
  });

  test.each([
    ['without forward secrecy', 'AES128-GCM-SHA256'],
    ['without authenticated encryption', 'ECDHE-ECDSA-AES128-SHA256'],
    ['without encryption', 'NULL@SECLEVEL=0'],
  ])('a cipher %s is refused', async (_, ciphers) => {
    await using served = await serve({ pairs: [localhost, issue({ kind: 'rsa', names: [{ dns: 'localhost' }] })] });
    const { error } = await served.ask({ ciphers, maxVersion: 'TLSv1.2' });
    expect(error).toContain('alert handshake failure');
    expect(served.errors[0]?.code).toBe('ERR_SSL_NO_SHARED_CIPHER');
  });

  test.each([
    ['a new client', undefined, 'X25519MLKEM768'],
    ['one whose share of a key is for another than the preferred one', 'X25519:X25519MLKEM768', 'X25519'],
    ['an old one', 'P-256', 'prime256v1'],
  ])('keys are agreed upon with %s', async (_, ecdhCurve, group) => {
    await using served = await serve({ pairs: [localhost] });
    const client = connect({ port: served.port, rejectUnauthorized: false, ...(ecdhCurve && { ecdhCurve }) });
    await once(client, 'secureConnect');
    expect(client.getEphemeralKeyInfo()).toMatchObject({ name: group });
    client.destroy();
  });

  test('ChaCha20 is for those who put it first', async () => {
    await using served = await serve({ pairs: [localhost] });
    const [aes, chacha] = ['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305'];
    const cipherWith = async (ciphers: string[]) =>
      (await served.ask({ ciphers: ciphers.join(':'), maxVersion: 'TLSv1.2' })).cipher;
    expect(await cipherWith([chacha!, aes!])).toBe(chacha);
    expect(await cipherWith([aes!, chacha!])).toBe(aes);
  });
});

describe('protocols', () => {
  test('a client gets HTTP/2 when it can, HTTP/1.1 when it cannot, and neither without asking', async () => {
    await using served = await serve({ pairs: [localhost] });
    const alpn = async (...ALPNProtocols: string[]) => (await served.ask({ ALPNProtocols })).alpn;
    expect(await alpn('http/1.1', 'h2')).toBe('h2');
    expect(await alpn('http/1.1')).toBe('http/1.1');
    expect((await served.ask()).alpn).toBe(false);
    expect((await served.ask({ ALPNProtocols: ['ftp'] })).error).toContain('alert no application protocol');
  });

  test('octets of any protocol need none', async () => {
    await using served = await serve({ pairs: [localhost], mode: 'tcp' });
    const { alpn, identity } = await served.ask({ ALPNProtocols: ['h2'] });
    expect([alpn, identity]).toEqual([false, { lines: '' }]);
  });
});

describe('ECDSA and RSA side by side', () => {
  const ecdsa = issue({ name: 'ecdsa', names: [{ dns: 'shop.example' }] });
  const rsa = issue({ name: 'rsa', kind: 'rsa', names: [{ dns: 'shop.example' }] });
  const ofRsa = { sigalgs: 'RSA-PSS+SHA256:RSA+SHA256' };

  test.each([
    ['1.3, which knows both', {}, 'ecdsa'],
    ['1.3, which knows RSA alone', ofRsa, 'rsa'],
    ['1.2, which knows both', { maxVersion: 'TLSv1.2' }, 'ecdsa'],
    ['1.2, which knows RSA alone', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }, 'rsa'],
  ] as const)('a client of %s is shown what it can check', async (_, client, shown) => {
    for (const pairs of [
      [ecdsa, rsa],
      [rsa, ecdsa],
    ]) {
      await using served = await serve({ pairs });
      expect(await served.ask(client)).toMatchObject({ shown, error: undefined });
      expect(await served.ask({ ...client, servername: 'shop.example' })).toMatchObject({ shown });
    }
  });

  test('one of them alone serves whom it can', async () => {
    await using served = await serve({ pairs: [ecdsa] });
    expect((await served.ask(ofRsa)).error).toContain('alert handshake failure');
  });
});

describe('several names', () => {
  const make = (name: string, ...hosts: string[]) => issue({ name, names: hosts.map((dns) => ({ dns })) });
  const pairs = [
    make('first', 'first.example', 'also.example'),
    make('exact', 'a.wild.example'),
    make('wild', '*.wild.example'),
    issue({ name: 'old.example' }),
    issue({ name: 'first-rsa', kind: 'rsa', names: [{ dns: 'also.example' }] }),
  ];

  test.each([
    ['first.example', 'first'],
    ['A.Wild.Example', 'exact'],
    ['b.wild.example', 'wild'],
    ['b.c.wild.example', 'first'],
    ['wild.example', 'first'],
    ['old.example', 'old.example'],
    ['unknown.example', 'first'],
    ['localhost', 'first'],
    ['', 'first'],
  ])('a client that asks for "%s" is shown "%s"', async (servername, shown) => {
    await using served = await serve({ pairs });
    expect((await served.ask({ servername })).shown).toBe(shown);
    expect((await served.ask({ servername, maxVersion: 'TLSv1.2' })).shown).toBe(shown);
  });

  test('one that names only some of the names of another is beside it for those alone', async () => {
    await using served = await serve({ pairs });
    const ofRsa = { sigalgs: 'RSA-PSS+SHA256' };
    const ofEcdsa = { sigalgs: 'ECDSA+SHA256' };
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const asked = { servername: 'also.example', maxVersion };
      expect((await served.ask({ ...ofRsa, ...asked })).shown).toBe('first-rsa');
      expect((await served.ask({ ...ofEcdsa, ...asked })).shown).toBe('first');
    }
    expect((await served.ask({ ...ofRsa, servername: 'first.example' })).error).toContain('alert handshake failure');
  });

  test('they are listed without their keys', async () => {
    await using served = await serve({ pairs, ca: authority.cert });
    const { certificates } = served.termination;
    expect(certificates.map(({ names, kind, use }) => [names.join(), kind, use])).toEqual([
      ['first.example,also.example', 'ecdsa', 'server'],
      ['a.wild.example', 'ecdsa', 'server'],
      ['*.wild.example', 'ecdsa', 'server'],
      ['old.example', 'ecdsa', 'server'],
      ['also.example', 'rsa', 'server'],
      ['', 'ecdsa', 'clients'],
    ]);
    expect(certificates[0]).toMatchObject({ file: served.directory.join('0.crt'), subject: 'CN=first' });
    expect(JSON.stringify(certificates)).not.toContain('PRIVATE');
    expect(served.metrics[`certificateNotAfter{"file":"${served.directory.join('4.crt')}"}`]).toBeGreaterThan(1e9);
  });
});

describe('client certificates', () => {
  const good = issue({ name: 'shop', issuer: authority });
  const bad = {
    certificate_untrusted: issue({ name: 'self-signed' }),
    certificate_expired: issue({ name: 'late', issuer: authority, notBefore: inDays(-9), notAfter: inDays(-8) }),
    certificate_revoked: issue({ name: 'thief', issuer: authority }),
    certificate_not_allowed: issue({ name: 'other', issuer: authority }),
  };
  const ca = authority.cert;
  const crl = revoke(authority, { revoked: [bad.certificate_revoked] });
  const serveClients = (clientCertificate?: 'none' | 'optional' | 'required') =>
    serve({ pairs: [localhost], ca, crl, clientAllowCn: ['shop', 'thief', 'late'], clientCertificate });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('with authorities they are required, also in %s', async (maxVersion) => {
    await using served = await serveClients();
    expect(served.termination.status.clientCertificate).toBe('required');
    expect((await served.ask(clientWith(good, { maxVersion }))).identity?.cn).toBe('shop');
    const { error, identity } = await served.ask({ maxVersion });
    expect(identity).toBeUndefined();
    expect(error).toContain(maxVersion === 'TLSv1.3' ? 'alert certificate required' : 'alert handshake failure');
    expect(served.errors.map(({ code }) => code)).toContain('ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE');
    expect(served.refused).toEqual([]);
  });

  test.each(['required', 'optional'] as const)('one that is no good is refused where they are %s', async (mode) => {
    await using served = await serveClients(mode);
    for (const [refusal, certificate] of Object.entries(bad))
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        const { identity } = await served.ask(clientWith(certificate, { maxVersion }));
        expect(identity).toEqual(mode === 'optional' ? { refusal } : undefined);
        expect(served.refused.at(-1)).toMatchObject({ refusal, detail: expect.any(String) });
      }
    expect(served.refused).toHaveLength(8);
    // The name of an authority does not make one.
    const forged = issue({ name: 'shop', issuer: issue({ name: 'Clients', authority: true }) });
    await served.ask(clientWith(forged));
    expect(served.refused.at(-1)?.refusal).toBe('certificate_untrusted');
  });

  test('one that is not valid yet is refused', async () => {
    await using served = await serveClients();
    const early = issue({ name: 'shop', issuer: authority, notBefore: inDays(1), notAfter: inDays(2) });
    await served.ask(clientWith(early));
    expect(served.refused).toMatchObject([{ refusal: 'certificate_expired', detail: 'CERT_NOT_YET_VALID' }]);
  });

  test('one of a certificate that is no authority is refused', async () => {
    await using served = await serveClients();
    const child = issue({ name: 'shop', issuer: good });
    await served.ask({ ...clientWith(child), cert: child.cert + good.cert });
    expect(served.refused).toMatchObject([{ refusal: 'certificate_untrusted' }]);
  });

  test('optional ones let a client in without a name', async () => {
    await using served = await serveClients('optional');
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { identity, session } = await served.ask({ maxVersion });
      expect(identity).toEqual({ lines: '' });
      expect(await served.ask({ maxVersion, session })).toMatchObject({ reused: true, identity: { lines: '' } });
    }
    expect((await served.ask(clientWith(good))).identity?.cn).toBe('shop');
  });

  test('nobody is asked for one when none are wanted', async () => {
    await using served = await serveClients('none');
    expect((await served.ask(clientWith(bad.certificate_revoked))).identity).toEqual({ lines: '' });
  });

  test('one from an authority in between is let in, its whole chain checked for revocation', async () => {
    const between = issue({ name: 'Between', authority: true, issuer: authority });
    const leaf = issue({ name: 'shop', issuer: between });
    const client = { cert: leaf.cert + between.cert, key: leaf.key };
    await using plain = await serve({ pairs: [localhost], ca });
    expect((await plain.ask(client)).identity?.cn).toBe('shop');
    const both = ca + between.cert;
    await using fine = await serve({ pairs: [localhost], ca: both, crl: revoke(authority) + revoke(between) });
    expect((await fine.ask(client)).identity?.cn).toBe('shop');
    const crls = [
      revoke(authority, { revoked: [between] }) + revoke(between),
      revoke(authority) + revoke(between, { revoked: [leaf] }),
    ];
    for (const crl of crls) {
      await using revoked = await serve({ pairs: [localhost], ca: both, crl });
      await revoked.ask(client);
      expect(revoked.refused).toMatchObject([{ refusal: 'certificate_revoked' }]);
    }
  });

  test('an expired list lets nobody in: OpenSSL fails closed', async () => {
    const expired = revoke(authority, { thisUpdate: inDays(-3), nextUpdate: inDays(-2) });
    await using served = await serve({ pairs: [localhost], ca, crl: expired });
    await served.ask(clientWith(good));
    expect(served.refused).toEqual([{ refusal: 'certificate_untrusted', detail: 'CRL_HAS_EXPIRED' }]);
    const [check] = served.health.results('readyz').filter(({ name }) => name === 'client authorities');
    expect(check?.reason).toMatch(/ca\.crl holds a list of "Clients" that expired at \d{4}-/);
    expect(served.logs.filter(({ level }) => level === 'warn')).toMatchObject([{ message: check?.reason }]);
  });

  test('where clients may do without, an expired list is said but is no reason to send all away', async () => {
    const expired = revoke(authority, { thisUpdate: inDays(-3), nextUpdate: inDays(-2) });
    await using served = await serve({ pairs: [localhost], ca, crl: expired, clientCertificate: 'optional' });
    expect((await served.ask()).identity).toEqual({ lines: '' });
    await served.ask(clientWith(good));
    expect(served.refused).toMatchObject([{ refusal: 'certificate_untrusted' }]);
    expect(served.health.passes('readyz')).toBe(true);
    expect(served.logs.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });
});

describe('a socket', () => {
  const header = Buffer.from('PROXY UNKNOWN\r\n');

  /** A client's side of TLS whose records go through the hands of the test. */
  async function between(port: number, first = Buffer.alloc(0)) {
    const raw = connectPlain(port, '127.0.0.1');
    await once(raw, 'connect');
    const [near, far] = duplexPair();
    raw.on('data', (octets) => far.write(octets)).on('end', () => far.end());
    let sent = first;
    far.on('data', (octets: Buffer) => {
      raw.write(Buffer.concat([sent, octets]));
      sent = Buffer.alloc(0);
    });
    const client = connect({ socket: near, rejectUnauthorized: false });
    await once(client, 'secureConnect');
    return { client, raw };
  }

  test('whose TLS breaks after the handshake is closed, with an error', async () => {
    await using served = await serve({ pairs: [localhost] });
    const { client, raw } = await between(served.port);
    client.on('error', () => raw.destroy());
    raw.write('no record of TLS at all');
    await until(() => served.sockets[0]?.destroyed);
    expect(served.errors.map(({ code }) => code)).toEqual(['ERR_SSL_BAD_RECORD_TYPE']);
    raw.destroy();
  });

  test('of which octets were read before the handshake goes on with the rest', async () => {
    const before = (raw: Socket) =>
      until(() => raw.read() as Buffer | null).then((octets) => raw.unshift(octets.subarray(header.length)));
    await using served = await serve({ pairs: [localhost], before });
    const { client, raw } = await between(served.port, header);
    client.write('?');
    expect(String((await once(client, 'data'))[0])).toBe('{"lines":""}\n');
    raw.destroy();
  });

  test('of a client that renegotiates is closed: it could be somebody else then', async () => {
    await using served = await serve({ pairs: [localhost], ca: authority.cert });
    const client = connect({
      ...{ port: served.port, rejectUnauthorized: false, maxVersion: 'TLSv1.2' as const },
      ...clientWith(issue({ name: 'shop', issuer: authority })),
    });
    await once(client, 'secureConnect');
    const refused = new Promise<Error | null>((resolve) => client.on('error', resolve));
    client.renegotiate({}, () => client.destroy(new Error('It was let in again')));
    expect((await refused)?.message).toMatch(/no renegotiation/);
    client.destroy();
  });
});
