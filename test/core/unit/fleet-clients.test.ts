/** Clients in a fleet file: changes and refusals. */

import { expect, test } from 'vitest';
import type { StoredClient, StoreState } from '../../../src/core/adapters/store/records.ts';
import type { ClientSpec } from '../../../src/core/domain/settings.ts';
import { fleetClients } from '../../../src/core/domain/trust/clients.ts';

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
  const found = fleetClients([spec('eve', { revoked: true }), spec('ada')], having({ eve: {}, ada: {} }), now);
  expect(found).toMatchObject({ accepted: ['ada'], revoked: ['eve'] });
  expect(found.changes).toMatchObject([{ kind: 'record', record: { name: 'eve', revokedAt: now.toISOString() } }]);
  const again = fleetClients([spec('eve', { revoked: true })], having({ eve: { revokedAt: 'x' }, ada: {} }), now);
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
  expect(() => fleetClients([eve, spec('ada')], having({ eve: record, ada: {} }), now)).toThrow(
    expect.objectContaining({ code }),
  );
});

test('the last client is not revoked', () => {
  expect(() => fleetClients([spec('eve', { revoked: true })], having({ eve: {} }), now)).toThrow(
    expect.objectContaining({ code: 'E_LAST_CLIENT' }),
  );
});

test('other days of a client whose key is on another computer do not count from a renewal here', () => {
  const { notes } = fleetClients([spec('ada', { days: 60 })], having({ ada: {} }), now);
  expect(notes).toHaveLength(1);
  expect(notes.join()).not.toContain('docker-tls rotate client');
});
