/** Rollback beyond files: requested settings, and accepted clients. */

import { beforeAll, describe, expect, test } from 'vitest';
import { issueCa, issueClient, issueClientAuthority } from '../../../src/core/domain/pki/certificate.ts';
import { openAuthority } from '../../../src/core/domain/pki/open-authority.ts';
import { parseSan } from '../../../src/core/domain/pki/san.ts';
import { completeHost } from '../../../src/core/domain/settings.ts';
import { keptOf, readKept, writeKept } from '../../../src/core/domain/settings-stored.ts';
import { compareTrust } from '../../../src/core/domain/trust/trust.ts';

describe('the settings of a generation', () => {
  const spec = completeHost({
    name: 'h',
    ssh: { destination: 'h' },
    port: 2399,
    harden: ['icc'],
    clients: ['ann'],
    sans: [parseSan('alt.example.org')],
  });

  test('comes back from the host as it was', () => {
    const kept = keptOf(spec);
    const written = JSON.parse(JSON.stringify(writeKept(kept)));
    expect(written.sans).toEqual(['alt.example.org']);
    expect(readKept(written)).toEqual(kept);
  });

  test('also those that it did not have: they replace those of now', () => {
    const plain = readKept(JSON.parse(JSON.stringify(writeKept(keptOf({})))));
    expect({ ...spec, ...plain }).toMatchObject({ port: 2376, clients: undefined });
  });

  const good = { port: 1, listen: [], sans: ['bücher.example'], keyType: 'p256', days: 30, keys: 'store' };
  test.each([
    ['nothing', undefined],
    ['a text', 'p256'],
    ['a port that is none', { ...good, port: 70_000 }],
    ['a port as text', { ...good, port: '2376' }],
    ['an address with a line end', { ...good, listen: ['10.0.0.1\nExecStartPre=/bin/sh'] }],
    ['a lifetime that is none', { ...good, days: 0 }],
    ['another type of key', { ...good, keyType: 'dsa' }],
    ['clients that are not names', { ...good, clients: [{}] }],
  ])('a host that kept %s is not believed', (_, value) => {
    expect(readKept(good)).toBeDefined();
    expect(readKept(value)).toBeUndefined();
  });
});

describe('another trust file', () => {
  const now = new Date('2026-06-01T12:00:00Z');
  const issuers: Record<string, string> = {};
  const clients: { name: string; cert: string; revokedAt?: string }[] = [];
  let ca: Awaited<ReturnType<typeof issueCa>>;

  beforeAll(async () => {
    ca = await issueCa({ name: 'ours', days: 3650, now });
    for (const name of ['ann', 'bob', 'eve']) {
      const issuer = await issueClientAuthority({ ca, clientName: name, days: 3650, now });
      const authority = openAuthority({ cert: issuer.leaf, key: issuer.key });
      issuers[name] = issuer.leaf;
      const { cert } = await issueClient({ authority, name, days: 397, now });
      clients.push({ name, cert, ...(name === 'eve' ? { revokedAt: now.toISOString() } : {}) });
    }
  });

  const compare = (current: string, next: string) =>
    compareTrust({ ca: current }, { ca: next }, clients, [ca.leaf, ...Object.values(issuers)], now);

  test('the CA in the place of a list: every other client comes back, and the revoked one is told apart', () => {
    expect(compare(issuers.ann as string, ca.leaf)).toEqual({
      again: ['bob'],
      noLonger: [],
      revoked: ['eve'],
      untrusted: [],
    });
  });

  test('a shorter list', () => {
    const list = `${issuers.ann}${issuers.bob}`;
    expect(compare(list, issuers.ann as string)).toEqual({ again: [], noLonger: ['bob'], revoked: [], untrusted: [] });
  });

  test('a revoked client that the host still accepts is no less revoked', () => {
    expect(compare(ca.leaf, ca.leaf)).toMatchObject({ again: [], revoked: ['eve'] });
  });

  test('a list of clients beside the trust file counts as well', () => {
    const all = [ca.leaf, ...Object.values(issuers)];
    const listed = (...accepts: string[]) => ({ ca: ca.leaf, accepts });
    const now1 = listed('ann full');
    expect(compareTrust(now1, listed('ann full', 'bob read'), clients, all, now)).toMatchObject({
      again: ['bob'],
      revoked: [],
    });
    expect(compareTrust(now1, listed('ann full', 'eve full'), clients, all, now).revoked).toEqual(['eve']);
    expect(compareTrust(now1, { ca: ca.leaf }, clients, all, now).revoked).toEqual(['eve']);
  });

  test('a CA that this store does not know is named', async () => {
    const other = await issueCa({ name: 'another operator', days: 3650, now });
    expect(compare(ca.leaf, ca.leaf + other.leaf).untrusted).toEqual([expect.stringMatching(/^another operator/)]);
  });
});
