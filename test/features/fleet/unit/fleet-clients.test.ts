/** Clients in a fleet file: changes and refusals. */

import { afterAll, expect, test } from 'vitest';
import type { StoredClient, StoreState } from '../../../../src/core/adapters/store/records.ts';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import type { ClientSpec } from '../../../../src/core/domain/settings.ts';
import { CA_DEFAULTS, CLIENT_DEFAULTS, completeHost } from '../../../../src/core/domain/settings.ts';
import { type ApplyRequest, hostsIntent } from '../../../../src/core/domain/trust/wanted-hosts.ts';
import { clientsInLine, fileClients } from '../../../../src/features/fleet/domain/fleet-clients.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

afterAll(removeHomes);

const now = new Date('2026-11-26T12:00:00Z');
const spec = (name: string, more: Partial<ClientSpec> = {}): ClientSpec => ({
  name,
  keyType: 'p256',
  days: 30,
  ...more,
});

/** Clients by name, with the special fields of their records. */
function having(clients: Record<string, object>): StoreState {
  const stored = Object.entries(clients).map(([name, more]) => {
    const record = { ...spec(name), createdAt: now.toISOString(), updatedAt: now.toISOString(), ...more };
    return [name, { record, cert: '', ca: '', directory: '' } as unknown as StoredClient] as const;
  });
  return { oldCas: [], hosts: new Map(), issuers: new Map(), clients: new Map(stored) } as unknown as StoreState;
}

test('a client that the file revokes is marked so, once', () => {
  const found = clientsInLine([spec('eve', { revoked: true }), spec('ada')], having({ eve: {}, ada: {} }), now);
  expect(found).toMatchObject({ accepted: ['ada'], revoked: ['eve'] });
  expect(found.changes).toMatchObject([{ kind: 'record', record: { name: 'eve', revokedAt: now.toISOString() } }]);
  const again = clientsInLine([spec('eve', { revoked: true })], having({ eve: { revokedAt: 'x' }, ada: {} }), now);
  expect(again.changes).toEqual([]);
});

test.each<[string, ClientSpec, object, string]>([
  [
    'one that was issued elsewhere is not ours to revoke',
    spec('eve', { revoked: true }),
    { reaches: [] },
    'E_CLIENT_EXTERNAL',
  ],
  ['nor to make', spec('eve'), { reaches: [] }, 'E_CLIENT_EXTERNAL'],
  ['one that was revoked does not come back', spec('eve'), { revokedAt: 'x' }, 'E_CLIENT_REVOKED'],
])('%s', (_, eve, record, code) => {
  expect(() => clientsInLine([eve, spec('ada')], having({ eve: record, ada: {} }), now)).toThrow(
    expect.objectContaining({ code }),
  );
});

test('the last client is not revoked', () => {
  expect(() => clientsInLine([spec('eve', { revoked: true })], having({ eve: {} }), now)).toThrow(
    expect.objectContaining({ code: 'E_LAST_CLIENT' }),
  );
});

test('other days of a client whose key is on another computer do not count from a renewal here', () => {
  const { notes } = clientsInLine([spec('ada', { days: 60 })], having({ ada: {} }), now);
  expect(notes).toHaveLength(1);
  expect(notes.join()).not.toContain('docker-tls rotate client');
});

test('a host that no longer has a list of clients accepts all, also where the file adds one', async () => {
  const listed = newHome();
  await issueStore(listed, { now, days: 30, hosts: { h1: {} }, clients: { ann: undefined, ci: undefined } });
  const stored = await openStore(listed).read();
  const host = [...stored.hosts.values()][0] as NonNullable<ReturnType<typeof stored.hosts.get>>;
  const before = { ...stored, hosts: new Map([['h1', { ...host, record: { ...host.record, clients: ['ann'] } }]]) };
  const all = completeHost({ name: 'h1', ssh: { destination: 'h1' } });
  const client = { spec: { ...CLIENT_DEFAULTS, name: 'ann' }, named: true };
  const request: ApplyRequest = { reason: 'apply', hosts: [all], ca: CA_DEFAULTS, client };
  const clients = [
    { ...CLIENT_DEFAULTS, name: 'ann' },
    { ...CLIENT_DEFAULTS, name: 'new' },
  ];
  const wanted = hostsIntent({ ...request, clients: fileClients(clients) }).want(before, now);
  expect(wanted.credentials.map(({ kind }) => kind)).toContain('client');
  const [trusted] = wanted.hosts;
  expect(trusted?.trust).toEqual(hostsIntent(request).want(before, now).hosts[0]?.trust);
});
