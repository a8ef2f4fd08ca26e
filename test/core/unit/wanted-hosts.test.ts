/** Intent of apply, and rows of status, from a store alone: verifying client, accepted clients, expiry. */

import { afterAll, expect, test, vi } from 'vitest';
import { openStore } from '../../../src/core/adapters/store/store.ts';
import { inspectCertificate } from '../../../src/core/domain/pki/inspect.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import { CA_DEFAULTS, CLIENT_DEFAULTS, completeHost } from '../../../src/core/domain/settings.ts';
import { usableClients } from '../../../src/core/domain/trust/clients.ts';
import { newCredentials } from '../../../src/core/domain/trust/new-credentials.ts';
import { statusRows } from '../../../src/core/domain/trust/status-rows.ts';
import { type ApplyRequest, clientsFor, hostsIntent } from '../../../src/core/domain/trust/wanted-hosts.ts';
import { offeredCommands } from '../../../src/core/seams/offered-commands.ts';
import { issueStore } from '../../support/issued-store.ts';
import { newHome, removeHomes } from '../../support/store.ts';

vi.mock('../../../src/core/domain/pki/inspect.ts', async (original) => {
  const real = await original<typeof import('../../../src/core/domain/pki/inspect.ts')>();
  return { ...real, inspectCertificate: vi.fn(real.inspectCertificate) };
});
afterAll(removeHomes);
const now = new Date('2026-06-01T00:00:00Z');
const home = newHome();
await issueStore(home, { now, days: 30, hosts: { h1: {} }, clients: { ann: undefined, ci: ['h2'] } });
const state = await openStore(home).read();
const spec = completeHost({ name: 'h2', ssh: { destination: 'h2' } });

const request = (client: string, named: boolean, hosts = [spec]): ApplyRequest => ({
  ...{ reason: 'apply', hosts, ca: CA_DEFAULTS },
  client: { spec: { ...CLIENT_DEFAULTS, name: client }, named },
});

test('a client that is named is made, and comes first; without a name one that is here will do', () => {
  const named = hostsIntent(request('new', true)).want(state, now);
  expect(named.credentials.map(({ kind }) => kind)).toEqual(['client']);
  expect(clientsFor(named, state).map(({ record }) => record.name)).toEqual(['new', 'ann', 'ci']);
  const any = hostsIntent(request('new', false)).want(state, now);
  expect([any.credentials, any.verifyAs]).toEqual([[], ['ann']]);
  expect(usableClients(state, ['ci', 'gone']).map(({ record }) => record.name)).toEqual(['ci', 'ann']);
});

test('the question says how many hosts change, and is not put for none', () => {
  const ask = (hosts: (typeof spec)[], changing: number) => {
    const intent = hostsIntent(request('ann', false, hosts));
    return intent.question?.(intent.want(state, now), changing);
  };
  expect([ask([spec], 0), ask([spec], 1)]).toEqual([undefined, 'Make these changes?']);
  expect(ask([spec, { ...spec, name: 'h3' }], 1)).toSay('make-these-changes-hosts', '1', '2');
});

test('rows: the CA, hosts with what they answered, clients with the way to new credentials', () => {
  const rows = statusRows(state, new Map([['h1', { drift: ['x'] }]]), { now, withinDays: undefined });
  expect(rows.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['ca test', 'host h1', 'client ann', 'client ci']);
  expect(rows[1]).toMatchObject({ drift: ['x'], address: '127.0.0.1:2376', state: 'ok' });
  expect(rows[2]).toMatchObject({ renew: ['docker-tls rotate client ann'], renewable: true });
  const due = statusRows(state, new Map(), { now, withinDays: 60 });
  expect(due.map((row) => row.state)).toEqual(['ok', 'due', 'due', 'due']);
});

test('rows: each CA of the store is parsed once, however many hosts there are', () => {
  const [host] = state.hosts.values();
  if (host === undefined || state.ca === undefined) throw new Error('no host');
  const issuer = { cert: state.ca.cert, keyPem: new Secret('') };
  const inspected = vi.mocked(inspectCertificate);
  const calls = (hosts: number) => {
    inspected.mockClear();
    const named = Array.from({ length: hosts }, (_, at) => [`h${at}`, { ...host, ca: '' }] as const);
    const issuers = new Map(Array.from({ length: 50 }, (_, at) => [`c${at}`, issuer] as const));
    statusRows({ ...state, hosts: new Map(named), issuers }, new Map(), { now, withinDays: undefined });
    return inspected.mock.calls.length;
  };
  expect(calls(20) - calls(1)).toBe(19);
});

test('new credentials of a client: by what can still renew it, here or on the computer that set its host up', () => {
  expect(newCredentials({ client: 'ann' })).toEqual(['docker-tls rotate client ann']);
  expect(newCredentials({ client: 'ann', caExpired: true })).toEqual(offeredCommands('new CA'));
  expect(String(newCredentials({ client: 'ann', external: true })[0])).toContain('docker-tls rotate client ann');
});
