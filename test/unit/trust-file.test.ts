/** Which clients a host accepts: what its trust file holds, and what is refused because no trust file can say it. */

import { describe, expect, test } from 'vitest';
import { acceptsAll, isAccepted, leafOnlyTrust, type TrustInput, trustFile } from '../../src/domain/trust/trust.ts';

const host = { name: 'h1' };
const clients = [{ name: 'ann' }, { name: 'bob' }] as const;
const input: TrustInput = {
  cas: ['ca'],
  clients,
  issuers: new Map([
    ['ann', ['ann-1', 'ann-0']],
    ['bob', ['bob-1']],
  ]),
  isBelow: () => false,
};
const trust = (spec: object, more: Partial<TrustInput> = {}) => trustFile({ ...host, ...spec }, { ...input, ...more });
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
    expect(trust({}, { clients: [{ name: 'ann', revokedAt: 'x' }, { name: 'bob' }] })).toEqual(['bob-1']);
  });

  test('without any client is refused', () => {
    expect(() => trust({ clients: [] })).toThrow(refusal('E_NO_CLIENTS', 'no client'));
    expect(() => trust({}, { clients: [{ name: 'ann', hosts: ['h2'] }] })).toThrow(
      refusal('E_NO_CLIENTS', 'no client'),
    );
  });

  test('with a client that has no issuing CA is refused: it would hold more than was asked for', () => {
    const issuers = new Map([['bob', ['bob-1']]]);
    expect(() => trust({ clients: ['ann', 'bob'] }, { issuers })).toThrow(
      refusal('E_NO_ISSUER', 'ann has no issuing CA'),
    );
    expect(trust({ clients: ['bob'] }, { issuers })).toEqual(['bob-1']);
  });

  test('with a CA that accepts a rejected client all the same is refused', () => {
    const isBelow = (client: string) => client === 'bob';
    expect(() => trust({ clients: ['ann'], acceptCa: ' ' }, { isBelow })).toThrow(
      refusal('E_CA_ACCEPTED', 'bob cannot'),
    );
    expect(trust({ clients: ['bob'], acceptCa: ' ' }, { isBelow })).toEqual(['bob-1']);
    expect(trust({ clients: ['ann'] }, { isBelow })).toEqual(['ann-1', 'ann-0']);
  });

  test('of a CA that signs leaves only accepts all or is refused', () => {
    expect(leafOnlyTrust(host, ['ca'], clients)).toEqual(['ca']);
    expect(() => leafOnlyTrust({ ...host, clients: ['ann'] } as never, ['ca'], clients)).toThrow(
      refusal('E_CA_LEAF_ONLY', 'bob cannot be kept out'),
    );
  });
});
