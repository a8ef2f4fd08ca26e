/** A complete store as data, and the operators of its copy. */

import { expect, test } from 'vitest';
import type { StoreState } from '../../../../src/core/adapters/store/records.ts';
import { operatorsOfCopy } from '../../../../src/features/team/store/admin.ts';
import type { Session } from '../../../../src/features/team/store/session.ts';
import { changeOf, sameContents, storeFiles } from '../../../../src/features/team/store/whole.ts';
import { sampleCa, sampleClient, sampleHost, sampleIssuer } from '../../../support/store.ts';

function state(more: object = {}): StoreState {
  return {
    ca: sampleCa(1),
    oldCas: [],
    issuers: new Map([['ann', sampleIssuer(2)]]),
    hosts: new Map([['web', sampleHost('web', 1)]]),
    clients: new Map([['ann', { ...sampleClient('ann', 2), directory: '/here' }]]),
    ...more,
  };
}

test('two stores are the same wherever their files are, and not with another key', () => {
  const there = { ...sampleClient('ann', 2), directory: '/there' };
  expect(sameContents(state(), state({ clients: new Map([['ann', there]]) }))).toBe(true);
  const { key } = sampleClient('x', 3);
  expect(sameContents(state(), state({ clients: new Map([['ann', { ...there, key }]]) }))).toBe(false);
  expect(sameContents(state(), state({ ca: { ...sampleCa(1), keyPem: sampleCa(2).keyPem } }))).toBe(false);
  expect(sameContents(state(), state({ hosts: new Map() }))).toBe(false);
  expect(changeOf(state()).clients?.ann).not.toHaveProperty('directory');
});

test('its files, keys among them', () => {
  const files = new Map(storeFiles(state()));
  expect([...files.keys()].sort()).toEqual(
    expect.arrayContaining([
      'ca/ca-key.pem',
      'ca/issuers/ann/ca-key.pem',
      'clients/ann/key.pem',
      'hosts/web/host.json',
    ]),
  );
  expect(files.get('clients/ann/key.pem')?.kind).toBe('key');
});

const KEY = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';
const OTHER = 'age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg';
const session = {
  identities: () => [{ kind: 'ssh', recipient: KEY }],
  now: () => new Date(0),
} as unknown as Session;
const operator = (name: string, recipient: string) => ({ name, recipient, ca: true, addedAt: 'then' });

test('of a copy: the user who copies comes first, by the name that the old store has for them', async () => {
  const known = [operator('bob', OTHER), operator('ann', KEY)];
  const names = async (before: typeof known) => (await operatorsOfCopy(session, before, 'me')).map(({ name }) => name);
  expect(await names(known)).toEqual(['ann', 'bob']);
  expect(await names([])).toEqual(['me']);
  expect(await names([operator('bob', OTHER)])).toEqual(['me', 'bob']);
});

test('of a copy: two of one name could not be told apart, and are refused', async () => {
  const refused = operatorsOfCopy(session, [operator('me', OTHER)], 'me');
  await expect(refused).rejects.toMatchObject({ code: 'E_OPERATOR', exit: 2, message: expect.stringContaining('me') });
});
