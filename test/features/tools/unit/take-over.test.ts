/** Import of docker-machine's store: the parts that we take over. */

import { afterAll, expect, test } from 'vitest';
import type { StoreState } from '../../../../src/core/adapters/store/records.ts';
import { Secret } from '../../../../src/core/domain/secret.ts';
import { parseDockerMachine } from '../../../../src/features/tools/adapters/docker-machine.ts';
import type { MachineCredentials } from '../../../../src/features/tools/adapters/docker-machine-store.ts';
import { foundHost, takenOver, takeOverChange } from '../../../../src/features/tools/domain/take-over.ts';
import { CertificateFactory, type Issued } from '../../../support/certificate-factory.ts';
import { sampleCa, sampleClient } from '../../../support/store.ts';

const factory = new CertificateFactory();
afterAll(() => factory.remove());

const NOW = new Date();
const EMPTY: StoreState = {
  ca: undefined,
  oldCas: [],
  issuers: new Map(),
  hosts: new Map(),
  clients: new Map(),
} as unknown as StoreState;
const ca = factory.issue('machine', { ca: true });
const other = factory.issue('machine', { ca: true });

const machine = (name: string) =>
  parseDockerMachine({
    name,
    storeDirectory: '/m',
    text: JSON.stringify({
      ConfigVersion: 3,
      Name: name,
      Driver: { IPAddress: '10.0.0.7', SSHKeyPath: '/k' },
      HostOptions: { AuthOptions: {} },
    }),
  });

function files(by: Issued, more: Partial<MachineCredentials> = {}): MachineCredentials {
  const server = factory.issue('server', { by, usage: 'serverAuth', san: 'IP:10.0.0.7' });
  const client = factory.issue('client', { by, usage: 'clientAuth' });
  return {
    ca: by.cert,
    caKey: new Secret(by.key),
    serverCert: server.cert,
    serverKey: new Secret(server.key),
    clientCert: client.cert,
    ...more,
  };
}

const found = (name: string, by = ca, more: Partial<MachineCredentials> = {}) =>
  foundHost(machine(name), files(by, more), NOW);

test('a host as it is stored, with the login of docker-machine', () => {
  const { record } = found('a').host;
  expect(record).toMatchObject({ name: 'a', address: '10.0.0.7', port: 2376, keyType: 'p256' });
  expect(record.ssh).toEqual({ destination: '10.0.0.7', user: 'root', port: 22, identities: ['/k'] });
});

test('E_DOCKER_MACHINE_DAMAGED: no CA, or the key of another certificate', () => {
  const code = expect.objectContaining({ code: 'E_DOCKER_MACHINE_DAMAGED', exit: 2, where: 'a' });
  expect(() => found('a', ca, { ca: '' })).toThrow(code);
  expect(() => found('a', ca, { serverKey: new Secret(other.key) })).toThrow(code);
});

test('the key of a CA comes along only where it is its own', () => {
  expect(found('a').ca.keyPem).toBeDefined();
  expect(found('a', ca, { caKey: undefined }).ca.keyPem).toBeUndefined();
  expect(found('a', ca, { caKey: new Secret(other.key) }).ca.keyPem).toBeUndefined();
  expect(() => found('a', ca, { caKey: new Secret('') })).toThrow(expect.objectContaining({ code: 'E_KEY_DAMAGED' }));
});

test('each CA once, with its client under a name that is free; those that are known not again', () => {
  const state = {
    ...EMPTY,
    clients: new Map<string, object>([['docker-machine', sampleClient('docker-machine', 1)]]),
  } as StoreState;
  const taken = takenOver([found('a'), found('b'), found('c', other)], state, NOW);
  expect(taken.hosts.map(({ record }) => record.name)).toEqual(['a', 'b', 'c']);
  expect(taken.oldCas.map(({ cert }) => cert)).toEqual([ca.cert, other.cert]);
  expect(taken.clients.map(({ name }) => name)).toEqual(['docker-machine-2', 'docker-machine-3']);
  const known = { ...state, ca: { ...sampleCa(1), cert: ca.cert } };
  expect(takenOver([found('a')], known, NOW)).toMatchObject({ oldCas: [], clients: [] });
});

test.each([
  ['none', undefined],
  ['of another CA', factory.issue('x', { by: other, usage: 'clientAuth' }).cert],
  ['for servers', factory.issue('x', { by: ca, usage: 'serverAuth' }).cert],
  ['damaged', 'x'],
])('a client certificate that opens no host is not recorded: %s', (_, clientCert) => {
  expect(takenOver([found('a', ca, { clientCert })], EMPTY, NOW)).toMatchObject({ oldCas: [{}], clients: [] });
});

test('every client of ours trusts the CAs that came along, but for imported and revoked ones', () => {
  const clients = ['ann', 'far', 'gone'].map((name, n) => [name, sampleClient(name, n)] as const);
  const state = { ...EMPTY, clients: new Map<string, object>(clients) } as StoreState;
  Object.assign(clients[1]?.[1].record ?? {}, { reaches: [] });
  Object.assign(clients[2]?.[1].record ?? {}, { revokedAt: 'then' });
  const change = takeOverChange(takenOver([found('a')], EMPTY, NOW), { state, trusted: 'OURS\n', now: NOW });
  expect(Object.entries(change.clients).map(([name, one]) => [name, one.ca])).toEqual([
    ['ann', `OURS\n${ca.cert}`],
    ['docker-machine', `OURS\n${ca.cert}`],
  ]);
  expect([change.issuers?.['docker-machine']?.cert, Object.keys(change.hosts ?? {})]).toEqual([ca.cert, ['a']]);
});
