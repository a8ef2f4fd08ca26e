/** Import of a client: stored data and refusals. */

import { afterAll, expect, test } from 'vitest';
import type { StoredClient, StoreState } from '../../../../src/core/adapters/store/records.ts';
import { Secret } from '../../../../src/core/domain/secret.ts';
import { type ImportRequest, importedClient } from '../../../../src/features/bundles/domain/imported-client.ts';
import { CertificateFactory, type Issued } from '../../../support/certificate-factory.ts';
import { sampleClient } from '../../../support/store.ts';

const factory = new CertificateFactory();
afterAll(() => factory.remove());

const ca = factory.issue('ca', { ca: true });
const other = factory.issue('other', { ca: true });
const ann = factory.issue('ann', { by: ca, usage: 'clientAuth' });
const later = factory.issue('ann', { by: ca, usage: 'clientAuth' });
const HOSTS = [{ name: 'web', host: 'tcp://[2001:db8::7]:2377' }];

type More = Partial<Omit<ImportRequest, 'bundle' | 'state'>> & {
  readonly known?: StoredClient;
  readonly key?: boolean;
};
function imported(cert: Issued, { known, key = true, ...more }: More = {}, by: Issued = ca) {
  const clients = new Map(known === undefined ? [] : [[known.record.name, { ...known, directory: '' }]]);
  const state = { clients } as unknown as StoreState;
  const bundle = {
    client: 'ann',
    hosts: HOSTS,
    ca: by.cert,
    cert: cert.cert,
    key: key ? new Secret(cert.key) : undefined,
  };
  return importedClient({ state, bundle, pending: [], replace: false, now: new Date(), ...more });
}

function stored(cert: Issued, record: object, key = true): StoredClient {
  const one = sampleClient('ann', 1);
  const held = key ? new Secret(cert.key) : undefined;
  return { ...one, record: { ...one.record, ...record }, ca: ca.cert, cert: cert.cert, key: held };
}

const coded = (code: string) => expect.objectContaining({ code, exit: 2 });

test('a new client reaches the hosts that came with it, by another name where one is given', () => {
  const { client, change } = imported(ann, { name: 'ann-2' });
  expect(client.record).toMatchObject({ name: 'ann-2', keyType: 'p256', days: 31 });
  expect(client.record.reaches).toEqual([{ name: 'web', address: '2001:db8::7', port: 2377 }]);
  expect(Object.keys(change.clients ?? {})).toEqual(['ann-2']);
});

test('E_BUNDLE: it has expired', () => {
  const over = factory.issue('ann', { by: ca, usage: 'clientAuth', from: -3, to: -1 });
  expect(() => imported(over)).toThrow(coded('E_BUNDLE'));
});

test('without a key it answers a request of this computer, and is its own; E_NO_REQUEST else', () => {
  const waiting = { name: 'ann', key: new Secret(ann.key) } as ImportRequest['pending'][number];
  const { client, answers } = imported(ann, { key: false, pending: [waiting] });
  expect([client.record.ownKey, client.key?.revealText(), answers]).toEqual([true, ann.key, ['ann']]);
  expect(() => imported(later, { key: false, pending: [waiting] })).toThrow(coded('E_NO_REQUEST'));
});

test('a renewal is of the same CA; another client of that name is replaced only on demand', () => {
  const known = stored(ann, { reaches: [{ name: 'db', address: 'db', port: 2376 }] });
  expect(imported(later, { known }).client.record.createdAt).toBe(known.record.createdAt);
  const foreign = factory.issue('ann', { by: other, usage: 'clientAuth' });
  expect(() => imported(foreign, { known }, other)).toThrow(coded('E_CLIENT_EXISTS'));
  expect(imported(foreign, { known, replace: true }, other).client.ca).toBe(other.cert);
});

test('a client that this very store issued takes the answer to its request alone, and stays its own', () => {
  const known = stored(ann, { reaches: undefined, hosts: ['web'] }, false);
  const { client, change } = imported(ann, { known });
  expect(client.record).toMatchObject({ hosts: ['web'] });
  expect([client.record.reaches, change.removeIssuers]).toEqual([undefined, undefined]);
  expect(() => imported(later, { known })).toThrow(coded('E_CLIENT_EXISTS'));
  expect(imported(later, { known, replace: true }).change.removeIssuers).toEqual(['ann']);
});
