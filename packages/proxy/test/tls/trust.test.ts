import { until } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import { Trust } from '../../src/tls/trust.ts';
import { inDays, issue, revoke } from './make.ts';
import { clientWith, serve } from './serve.ts';

const server = issue({ names: [{ dns: 'localhost' }] });
const whole = (days: number) => new Date(Math.floor(inDays(days).getTime() / 1000) * 1000);

test('the next date is that of whatever becomes valid or expires first', () => {
  const [from, to, update, next] = [whole(-2), whole(20), whole(-1), whole(10)];
  const authority = issue({ name: 'Clients', authority: true, notBefore: from, notAfter: to });
  const crl = Buffer.from(revoke(authority, { thisUpdate: update, nextUpdate: next }));
  const trust = new Trust({ ca: Buffer.from(authority.cert), crl });
  const dates: number[] = [];
  for (let at = 0; at < Number.POSITIVE_INFINITY; at = trust.nextDate(at)) dates.push(at);
  expect(dates).toEqual([0, ...[from, update, next, to].map((date) => date.getTime())]);
});

describe('an intermediate authority', () => {
  const root = issue({ name: 'Root', authority: true });
  const between = issue({ name: 'Between', authority: true, issuer: root });
  const shop = issue({ name: 'shop', issuer: between });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('may be the one that is trusted, in %s', async (maxVersion) => {
    await using served = await serve({ pairs: [server], ca: between.cert });
    expect((await served.ask(clientWith(shop, { maxVersion }))).identity?.cn).toBe('shop');
    // Those of the authority above it are not, with or without it.
    const stranger = issue({ name: 'stranger', issuer: root });
    const chain = stranger.cert + root.cert;
    for (const cert of [stranger.cert, chain])
      expect((await served.ask({ cert, key: stranger.key, maxVersion })).identity).toBeUndefined();
    const late = issue({ name: 'late', issuer: between, notBefore: inDays(-3), notAfter: inDays(-2) });
    await served.ask(clientWith(late, { maxVersion }));
    expect(served.refused.map(({ refusal }) => refusal)).toEqual([
      'certificate_untrusted',
      'certificate_untrusted',
      'certificate_expired',
    ]);
  });

  test('that has expired lets nobody in', async () => {
    const old = issue({ name: 'Old', authority: true, issuer: root, notBefore: inDays(-3), notAfter: inDays(-2) });
    await using served = await serve({ pairs: [server], ca: old.cert });
    await served.ask(clientWith(issue({ name: 'shop', issuer: old })));
    expect(served.refused).toMatchObject([{ refusal: 'certificate_expired' }]);
  });

  test('needs the one above it where there are lists, and it is said before everybody is refused', () => {
    const [ca, both] = [Buffer.from(between.cert), Buffer.from(between.cert + root.cert)];
    const about = 'clientCaFile';
    const message = 'holds "Between" without the authority that it comes from, which --client-crl-file needs';
    expect(() => new Trust({ ca, crl: Buffer.from(revoke(between)) })).toThrow(
      expect.objectContaining({ about, message }),
    );
    expect(new Trust({ ca: both, crl: Buffer.from(revoke(between) + revoke(root)) }).lists).toHaveLength(2);
  });
});

test('an allow-list that becomes empty is warned of at once, and what that means', async () => {
  const authority = issue({ name: 'Clients', authority: true });
  const lists = { clientAllowCn: ['shop'], clientAllowDns: ['a.example'] };
  await using served = await serve({ pairs: [server], ca: authority.cert, ...lists });
  const warnings = () => served.logs.filter(({ level }) => level === 'warn');
  const change = (changed: Partial<typeof lists>) => {
    Object.assign(served.settings, changed);
    served.events.publish('parameters');
  };
  change({ clientAllowCn: ['shop', 'till'] });
  change({ clientAllowDns: [] });
  await until(() => warnings().length === 1);
  expect(warnings()[0]).toMatchObject({ message: expect.stringMatching(/empty, and the other lists decide/) });
  change({ clientAllowCn: [] });
  await until(() => warnings().length === 2);
  expect(warnings()[1]).toMatchObject({
    message: expect.stringMatching(/empty, and every certificate of the authorities is let in/),
    fields: { lists: ['clientAllowCn'] },
  });
  expect((await served.ask(clientWith(issue({ name: 'anybody', issuer: authority })))).identity?.cn).toBe('anybody');
  expect(warnings()).toHaveLength(2);
});
