import { afterAll, beforeAll, expect, test } from 'vitest';
import { issueCa, issueClient, issueClientAuthority } from '../../../../src/core/domain/pki/certificate.ts';
import { BUILT_IN_ROLES } from '../../../../src/features/haproxy/domain/roles.ts';
import { CertificateFactory } from '../../../support/certificate-factory.ts';
import {
  certificatesFor,
  chainHash,
  commonNameOf,
  directClient,
  type TestCredentials,
} from '../support/certificates.ts';
import { type Listener, type ListenerInput, logOf, startListener, until } from '../support/listener.ts';

const PING = 'GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n';
const REMOVE = 'DELETE /v1.45/containers/app HTTP/1.1\r\nHost: docker\r\n\r\n';
const now = new Date();
const factory = new CertificateFactory();
let listener: Listener;
let input: ListenerInput;
let certificates: Awaited<ReturnType<typeof certificatesFor>>;
let direct: TestCredentials;
let corp: Awaited<ReturnType<typeof issueCa>>;

beforeAll(async () => {
  certificates = await certificatesFor(['root', 'prom', 'eve@home+1']);
  corp = await issueCa({ name: 'Corp', days: 90, now });
  direct = await directClient(certificates.ca, 'leafy');
  input = {
    server: certificates.server,
    trusted: [certificates.ca.leaf, corp.leaf],
    clients: [
      { name: 'root', role: 'full', by: ['issuer'] },
      { name: 'prom', role: 'monitor', by: ['issuer'] },
      { name: 'leafy', role: 'full', by: ['subject'] },
      { name: 'eve@home+1', role: 'read', by: ['issuer'] },
    ],
    ownCas: [commonNameOf(certificates.ca.leaf)],
    roles: BUILT_IN_ROLES,
    others: {},
    chains: certificates.chains,
    sockets: [],
  };
  listener = await startListener(input);
});
afterAll(async () => {
  await listener?.stop();
  factory.remove();
});

/** What a client of the CA corp can make: an issuing CA with any name, and a leaf below it. */
async function forged(clientName: string): Promise<TestCredentials> {
  const authority = await issueClientAuthority({ ca: corp, clientName, days: 60, now });
  const { cert, key } = await issueClient({ authority, name: clientName, days: 30, now });
  return { cert, key: key.revealText() };
}

async function reaches(client: TestCredentials | undefined): Promise<boolean> {
  listener.engine.forget();
  await listener.send(client, REMOVE);
  return listener.engine.requests.length > 0;
}

test('a client is who its issuing CA names, or who one of our CAs certified directly', async () => {
  expect(await reaches(certificates.clients.get('root'))).toBe(true);
  expect(await reaches(direct)).toBe(true);
  expect(await listener.send(certificates.clients.get('prom'), REMOVE)).toContain(
    '{"message":"docker-tls: client prom has the role monitor, which does not allow DELETE \\/v1.45\\/containers\\/app"}',
  );
  expect(await listener.send(certificates.clients.get('eve@home+1'), PING)).toContain('200 OK');
});

test('nothing reaches the engine without a certificate, with an unknown, an expired or a server certificate', async () => {
  const other = await certificatesFor(['root']);
  const ca = factory.issue('ca', { ca: true });
  await listener.reload({ ...input, trusted: [...input.trusted, ca.cert], ownCas: [...input.ownCas, 'ca'] });
  const late = factory.issue('leafy', { by: ca, usage: 'clientAuth', from: -9, to: -1 });
  const early = factory.issue('leafy', { by: ca, usage: 'clientAuth', from: 2, to: 9 });
  const server = factory.issue('leafy', { by: ca, usage: 'serverAuth' });
  const valid = factory.issue('leafy', { by: ca, usage: 'clientAuth' });
  expect(await reaches(valid)).toBe(true);
  for (const client of [undefined, other.clients.get('root'), late, early, server])
    expect(await reaches(client)).toBe(false);
  await listener.reload(input);
});

test('a subject is never taken for an issuer, nor the other way round', async () => {
  // A certificate that our CA signed directly for a client that has an issuing CA, and one whose subject is a key of the map.
  for (const name of ['root', 'issuer:root', 'client root 01234567'])
    expect(await reaches(await directClient(certificates.ca, name))).toBe(false);
  const authority = await issueClientAuthority({ ca: certificates.ca, clientName: 'leafy', days: 60, now });
  const { cert, key } = await issueClient({ authority, name: 'root', days: 30, now });
  expect(await reaches({ cert, key: key.revealText() })).toBe(false);
});

test('another CA that the host accepts cannot make a client of ours', async () => {
  const root = await forged('root');
  const named = await issueCa({ name: 'x', days: 60, now, issuer: corp });
  // Our own CA's name, below the other CA.
  const twin = factory.issue(commonNameOf(certificates.ca.leaf), { ca: true });
  const leafy = factory.chained(factory.issue('leafy', { by: twin, usage: 'clientAuth' }), twin);
  const beside = { ...root, cert: root.cert + (certificates.clients.get('root')?.cert ?? '') };
  const ours = {
    ...root,
    cert: (root.cert.split(/(?<=-----END CERTIFICATE-----\n)/)[0] ?? '') + certificates.authorities[0],
  };
  for (const client of [root, leafy, beside, ours, await directClient(named, 'root'), await directClient(corp, 'root')])
    expect(await reaches(client)).toBe(false);
});

test('a client whose certificate one of our CAs signed may send that CA with it, and nothing that stands for it', async () => {
  const ca = certificates.ca.leaf;
  const withCa = ({ cert, key }: TestCredentials, more: string) => ({ cert: cert + more, key });
  expect(await reaches(withCa(direct, ca))).toBe(false);
  await listener.reload({ ...input, chains: [...certificates.chains, chainHash(ca)] });
  expect(await reaches(withCa(direct, ca))).toBe(true);
  expect(await reaches(direct)).toBe(true);
  // The other CA makes one with our CA's name, and a leaf below it.
  const twin = await issueCa({ name: 'docker-tls', days: 60, now, issuer: corp });
  const { cert, key } = await directClient(twin, 'leafy');
  for (const chain of ['', ca, twin.leaf, twin.leaf + ca, ca + twin.leaf, ca + corp.leaf])
    expect(await reaches({ cert: cert + chain, key })).toBe(false);
  const root = await forged('root');
  const [leaf = ''] = root.cert.split(/(?<=-----END CERTIFICATE-----\n)/);
  for (const chain of [ca, root.cert + ca]) expect(await reaches({ cert: leaf + chain, key: root.key })).toBe(false);
});

test('with a role for clients of other CAs they have that one, but not with a name of ours', async () => {
  await listener.reload({ ...input, others: { role: 'monitor' } });
  const other = await directClient(corp, 'root');
  expect(await reaches(other)).toBe(false);
  expect(await listener.send(other, PING)).toContain('200 OK');
  expect(await listener.send(other, REMOVE)).toSay('other-client-has-role', 'root', 'monitor');
  expect(await listener.send(await forged('root'), PING)).toBe('');
  // A client of ours cannot choose the role of others by a further certificate in its chain.
  const prom = certificates.clients.get('prom') as TestCredentials;
  expect(await listener.send({ ...prom, cert: prom.cert + certificates.authorities[0] }, PING)).toBe('');
  expect(await reaches(certificates.clients.get('root'))).toBe(true);
  // A revoked client of ours is not a client of another CA.
  await listener.reload({
    ...input,
    others: { role: 'full' },
    clients: input.clients.filter(({ name }) => name !== 'prom'),
  });
  expect(await reaches(other)).toBe(true);
  expect(await listener.send(certificates.clients.get('prom'), PING)).toBe('');
  await listener.reload(input);
});

test('a session is never resumed', async () => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const client = certificates.clients.get('root');
    const first = await listener.open(client, { maxVersion });
    const tickets: Buffer[] = [];
    first.on('session', (ticket) => tickets.push(ticket));
    first.write(PING);
    await new Promise((resolve) => first.once('data', resolve));
    const session = first.getSession();
    first.destroy();
    for (const one of [...tickets, ...(session === undefined ? [] : [session])]) {
      const second = await listener.open(client, { maxVersion, session: one });
      expect(second.isSessionReused()).toBe(false);
      second.destroy();
    }
  }
});

test('TLS 1.1 and HTTP/2 are not spoken', async () => {
  const client = certificates.clients.get('root');
  await expect(
    listener.open(client, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
  ).rejects.toThrow();
  const socket = await listener.open(client, { ALPNProtocols: ['h2', 'http/1.1'] });
  expect(socket.alpnProtocol).toBe('http/1.1');
  socket.destroy();
});

test('the log names client, role, address, method, path and status, never a query or a header', async () => {
  await listener.send(
    certificates.clients.get('prom'),
    'GET /info?token=s3cret HTTP/1.1\r\nHost: s3cret\r\nX-Token: s3cret\r\n\r\n',
  );
  await listener.send(
    certificates.clients.get('root'),
    'GET /build?arg=s3cret HTTP/1.1\r\nHost: s3cret\r\nConnection: close\r\n\r\n',
  );
  await listener.send(certificates.clients.get('prom'), 'GET /a"}\\{\u001b[31m HTTP/1.1\r\nHost: x\r\n\r\n');
  const logged = (...words: readonly string[]) =>
    logOf(listener).some((line) => words.every((word) => line.includes(word)));
  await until(() => logged('"client":"prom"', '"status":"200"', '\\/info') && logged('"client":"root"', '\\/build'));
  const lines = logOf(listener);
  expect(lines.join('\n')).not.toContain('s3cret');
  for (const line of lines) expect(() => JSON.parse(line), line).not.toThrow();
});
