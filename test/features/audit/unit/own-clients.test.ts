/** Our clients in a report. */

import { afterAll, expect, test, vi } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { withOurClients } from '../../../../src/features/audit/domain/report/own-clients.ts';
import type { AuditedHost } from '../../../../src/features/audit/domain/report/report.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

vi.mock('../../../../src/core/domain/pki/inspect.ts', async (original) => {
  const real = await original<typeof import('../../../../src/core/domain/pki/inspect.ts')>();
  return { ...real, inspectCertificate: vi.fn(real.inspectCertificate) };
});
afterAll(removeHomes);
const now = new Date('2026-06-01T00:00:00Z');
const home = newHome();
await issueStore(home, { now, days: 30, hosts: { h1: {} }, clients: { ann: undefined, ci: ['h2'] } });
const state = await openStore(home).read();

test('a report names our clients that the host accepts, no others', () => {
  const subject = { certificates: [], access: [] } as unknown as AuditedHost;
  const [h1] = state.hosts.values();
  const clients = [...state.clients.values()];
  const revoked = clients.map((one) => ({ ...one, record: { ...one.record, revokedAt: now.toISOString() } }));
  if (h1 === undefined) throw new Error('no host');
  const { access, certificates } = withOurClients(subject, h1, [...clients, ...revoked]);
  expect(access).toEqual([
    {
      ...{ who: 'client ann', how: 'certificate', where: '127.0.0.1:2376', grave: false, role: undefined },
      expires: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
    },
  ]);
  expect(certificates).toMatchObject([{ role: 'client', name: 'ann' }]);
});

test('clients of other stores do not get in, and those of the host alone do', () => {
  const [h1] = state.hosts.values();
  const [ann] = state.clients.values();
  if (h1 === undefined || ann === undefined) throw new Error('no host, or no client');
  const subject = { certificates: [], access: [] } as unknown as AuditedHost;
  const named = (name: string, more: object = {}) => ({ ...ann, record: { ...ann.record, name, ...more } });
  const reaches = [{ name: 'h1', address: '127.0.0.1', port: 2376 }];
  const whoAndRole = (record: object, clients: readonly (typeof ann)[]) =>
    withOurClients(subject, { ...h1, record: { ...h1.record, ...record } }, clients).access.map(({ who, role }) => [
      who,
      role,
    ]);
  expect(whoAndRole({}, [ann, named('bob', { reaches })])).toEqual([['client ann', undefined]]);
  expect(whoAndRole({ clients: ['bob'] }, [ann, named('bob')])).toEqual([['client bob', undefined]]);
  const accepts = ['ann full', 'eve read', 'old full'];
  const revoked = named('old', { revokedAt: now.toISOString() });
  expect(
    whoAndRole({ accepts }, [ann, named('eve', { role: 'full' }), named('new'), revoked, named('ann', { reaches })]),
  ).toEqual([
    ['client ann', undefined],
    ['client eve', 'read'],
    ['client old', undefined],
  ]);
});
