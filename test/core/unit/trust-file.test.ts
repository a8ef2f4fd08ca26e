/** Accepted clients of a host: contents of its trust file, and refusals of access that no trust file can express. */

import { describe, expect, test } from 'vitest';
import { acceptsAll, isAccepted, isListed, listedClients, trustFor } from '../../../src/core/domain/trust/trust.ts';
import type { AccessView, IssuerBundle, TrustedClient } from '../../../src/core/domain/trust/view.ts';
import { LISTENERS } from '../../../src/core/seams/listeners.ts';

const host = { name: 'h1' };
const clients = [{ name: 'ann' }, { name: 'bob' }] as const;
const issuer = (...ids: string[]): IssuerBundle => ({ ids, pem: '', current: true });
const ISSUERS = new Map([
  ['ann', issuer('ann-1', 'ann-0')],
  ['bob', issuer('bob-1')],
]);
const trust = (spec: object, more: Partial<AccessView> = {}, known: readonly TrustedClient[] = clients) =>
  trustFor(
    { ...host, ...spec },
    {
      ...{ ca: 'ca', oldCas: [], issuing: 'here', issuers: ISSUERS, clients: byName(known), direct: () => false },
      ...more,
    },
  );
const byName = (known: readonly TrustedClient[]) => new Map(known.map((client) => [client.name, client]));
const refusal = (code: string, words: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(words) });

test.each([
  ['a client without a list, of a host without one', {}, {}, true],
  ['a client of this host', { hosts: ['h2', 'h1'] }, {}, true],
  ['a client of other hosts', { hosts: ['h2'] }, {}, false],
  ['a client of no host', { hosts: [] }, {}, false],
  ['a client on the list of the host', {}, { clients: ['ann'] }, true],
  ['a client that is not on it', {}, { clients: ['bob'] }, false],
  ['a client that only one side names', { hosts: ['h1'] }, { clients: ['bob'] }, false],
  ['a client that was revoked', { revokedAt: 'x' }, {}, false],
  ['also where both sides name it', { revokedAt: 'x', hosts: ['h1'] }, { clients: ['ann'] }, false],
])('%s is accepted: %s %s -> %s', (_, client, spec, accepted) => {
  expect(isAccepted({ name: 'ann', ...client }, { ...host, ...spec })).toBe(accepted);
});

test('a host accepts all only where it has no list and no client is kept out', () => {
  expect(acceptsAll(host, clients)).toBe(true);
  expect(acceptsAll({ ...host, clients: ['ann', 'bob'] } as never, clients)).toBe(false);
  expect(acceptsAll(host, [...clients, { name: 'eve', revokedAt: 'x' }])).toBe(false);
});

describe('a trust file', () => {
  test('holds the CA where every client is accepted, and else the issuing CAs of those who are', () => {
    expect(trust({})).toEqual(['ca']);
    expect(trust({ clients: ['ann'] })).toEqual(['ann-1', 'ann-0']);
    expect(trust({}, {}, [{ name: 'ann', revokedAt: 'x' }, { name: 'bob' }])).toEqual(['bob-1']);
  });

  test('without any client is refused', () => {
    expect(() => trust({ clients: [] })).toThrow(refusal('E_NO_CLIENTS', 'no client'));
    expect(() => trust({}, {}, [{ name: 'ann', hosts: ['h2'] }])).toThrow(refusal('E_NO_CLIENTS', 'no client'));
    expect(() => trust({ listen: ['10.0.0.1'] }, {}, [{ name: 'ann', hosts: ['h2'] }])).toThrow(
      refusal('E_NO_CLIENTS', ''),
    );
    // Sockets on the host need none.
    expect(trust({ listen: ['none'] }, {}, [{ name: 'ann', hosts: ['h2'] }])).toEqual(['ca']);
  });

  test('with a client that has no issuing CA is refused: it would hold more than was asked for', () => {
    const issuers = new Map([['bob', issuer('bob-1')]]);
    expect(() => trust({ clients: ['ann', 'bob'] }, { issuers })).toThrow(refusal('E_NO_ISSUER', 'ann'));
    expect(trust({ clients: ['bob'] }, { issuers })).toEqual(['bob-1']);
  });

  test('of a CA that signs leaves only accepts all or is refused', () => {
    const leafOnly = { issuing: 'leaf-only', issuers: new Map() } as const;
    expect(trust({}, leafOnly)).toEqual(['ca']);
    expect(trust({ clients: ['ann', 'bob'] }, leafOnly)).toEqual(['ca']);
    expect(() => trust({ clients: ['ann'] }, leafOnly)).toThrow(refusal('E_CA_LEAF_ONLY', 'bob'));
  });

  test('of such a CA does where a listener has a list of clients: that list keeps clients out', () => {
    const leafOnly = { issuing: 'leaf-only', issuers: new Map() } as const;
    const spec = { listener: 'front' };
    expect(trust({ ...spec, clients: ['ann'] }, leafOnly)).toEqual(['ca']);
    expect(trust(spec, leafOnly, [{ name: 'ann' }, { name: 'bob', revokedAt: 'x' }])).toEqual(['ca']);
    expect(() => trust({ ...spec, clients: [] }, leafOnly)).toThrow(refusal('E_NO_CLIENTS', 'no client'));
    // The narrower file, where there is one.
    expect(trust({ ...spec, clients: ['ann'] }, {})).toEqual(['ann-1', 'ann-0']);
    const issuers = new Map([['bob', issuer('bob-1')]]);
    expect(trust(spec, { issuers }, [...clients, { name: 'eve', revokedAt: 'x' }])).toEqual(['ca']);
    // A client with an issuing CA whose certificate is from before it.
    const direct = (name: string) => name === 'ann';
    expect(trust({ ...spec, clients: ['ann'] }, { direct })).toEqual(['ca']);
    expect(trust({ ...spec, clients: ['bob'] }, { direct })).toEqual(['bob-1']);
    expect(trust({ clients: ['ann'] }, { direct })).toEqual(['ann-1', 'ann-0']);
  });

  test('of such a CA whose clients have issuing CAs of their own tells them apart', () => {
    expect(trust({ clients: ['ann'] }, { issuing: 'leaf-only' })).toEqual(['ann-1', 'ann-0']);
  });

  test('holds the CA of before as well, as long as a rotation has not dropped it', () => {
    expect(trust({}, { oldCas: ['old'] })).toEqual(['ca', 'old']);
  });
});

test('the list of a listener names accepted clients with their roles, and dockerd has none', () => {
  const known = [{ name: 'bob', role: 'read' }, { name: 'ann' }, { name: 'eve', revokedAt: 'x' }];
  expect(listedClients({ ...host, listener: 'haproxy' }, known)).toEqual(['ann full', 'bob read']);
  expect(listedClients(host, known)).toBeUndefined();
  expect(isListed('bob', { accepts: ['ann full', 'bob read'] })).toBe(true);
  expect(isListed('eve', { accepts: ['ann full', 'eve2 read'] })).toBe(false);
  expect(isListed('eve', {})).toBe(true);
});

test('only a host with another listener than dockerd can limit a client', () => {
  const known = [{ name: 'ann' }, { name: 'bob', role: 'monitor' }];
  expect(trust({}, {}, [{ name: 'ann', role: 'full' }])).toEqual(['ca']);
  expect(() => trust({}, {}, known)).toThrow(refusal('E_ROLE_DOCKERD', 'bob (monitor)'));
  expect(() => trust({ listener: 'dockerd' }, {}, known)).toThrow(refusal('E_ROLE_DOCKERD', 'bob'));
  // It does not matter on hosts that do not accept it.
  expect(trust({ clients: ['ann'] }, {}, known)).toEqual(['ann-1', 'ann-0']);
});

test('a role that the listener of the host does not have is refused', () => {
  LISTENERS.add({
    name: 'front',
    roles: ['full', 'read'],
    lists: [],
    load: () => Promise.reject(new Error('not here')),
  });
  const known = [
    { name: 'ann', role: 'read' },
    { name: 'bob', role: 'watch' },
  ];
  expect(() => trust({ listener: 'front' }, {}, known)).toThrow(refusal('E_ROLE_UNKNOWN', 'bob (watch)'));
  expect(trust({ listener: 'front', roles: ['watch GET /events'] }, {}, known)).toEqual(['ca']);
});
