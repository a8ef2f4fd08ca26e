/** Currently accepted clients that this store does not know: reported, and refused without separate consent. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StoreState } from '../../../src/core/adapters/store/records.ts';
import {
  acceptedCa,
  acceptedNotes,
  otherClients,
  otherClientsLose,
  otherClientsNotes,
} from '../../../src/core/domain/plan/other-clients.ts';
import { trustNow } from '../../../src/core/domain/plan/trust-now.ts';
import { certificateIds, newIssuerId } from '../../../src/core/domain/trust/ca-id.ts';
import { trustFor } from '../../../src/core/domain/trust/trust.ts';
import type { AccessView, IssuerBundle } from '../../../src/core/domain/trust/view.ts';
import { CertificateFactory, type Issued } from '../../support/certificate-factory.ts';
import { factsOf, UNIT } from '../../support/host-facts.ts';

const factory = new CertificateFactory();
const NOW = new Date();
const NOBODY: Pick<StoreState, 'ca' | 'oldCas' | 'issuers'> = { oldCas: [], issuers: new Map() };
let theirs: Issued;
let below: Issued;
let ours: Issued;
let gone: Issued;

beforeAll(() => {
  theirs = factory.issue('Theirs', { ca: true });
  below = factory.issue('Below', { ca: true, by: theirs });
  ours = factory.issue('Ours', { ca: true });
  gone = factory.issue('Gone', { ca: true, from: -30, to: -1 });
});
afterAll(() => factory.remove());

const unit = (flags: string) => ({
  [`file:${UNIT}`]: `file 644 0:0\n[Service]\nExecStart=/usr/sbin/dockerd ${flags}\n`,
});
const file = (path: string, text: string) => ({ [`file:${path}`]: `file 644 0:0\n${text}` });
const stored = (credential: Issued, imported = false) =>
  ({ cert: credential.cert, record: { name: 'x', createdAt: '', keyType: 'p256', days: 1, imported } }) as const;

describe('what a host accepts before setup', () => {
  const all = '--tlsverify --tlscert=/c --tlskey=/k';
  test.each([
    ['flags of the unit', unit(`-H fd:// -H tcp://0.0.0.0:2376 ${all} --tlscacert=/etc/docker/ca.pem`)],
    ['flags in two words', unit(`-H tcp://0.0.0.0:2376 ${all} --tlscacert /etc/docker/ca.pem`)],
    [
      'daemon.json',
      file(
        '/etc/docker/daemon.json',
        '{ "hosts": ["tcp://0.0.0.0:2376"], "tlsverify": true, "tlscacert": "/etc/docker/ca.pem" }',
      ),
    ],
    [
      'a variable of an environment file',
      file('/etc/default/docker', `DOCKER_OPTS="-H tcp://0.0.0.0:2376 ${all} --tlscacert=/etc/docker/ca.pem"\n`),
    ],
  ])('is read from %s', (_, settings) => {
    const facts = factsOf({ ...settings, ...file('/etc/docker/ca.pem', `text before\n${theirs.cert}`) });
    expect(trustNow(facts)).toEqual({ trust: theirs.cert, path: '/etc/docker/ca.pem', ours: false });
  });

  test("is dockerd's own default where nothing names a file", () => {
    const facts = factsOf({
      ...unit('-H tcp://0.0.0.0:2376 --tlsverify'),
      ...file('/root/.docker/ca.pem', theirs.cert),
    });
    expect(trustNow(facts)).toMatchObject({ trust: theirs.cert, path: '/root/.docker/ca.pem' });
  });

  test.each([
    ['no TLS', unit('-H fd:// -H tcp://127.0.0.1:2375')],
    ['no certificate asked for', unit('-H tcp://0.0.0.0:2376 --tls --tlsverify=false --tlscacert=/etc/docker/ca.pem')],
    ['no port', unit('-H fd:// --tlsverify --tlscacert=/etc/docker/ca.pem')],
  ])('is no client by a certificate: %s', (_, settings) => {
    expect(trustNow(factsOf({ ...settings, ...file('/etc/docker/ca.pem', theirs.cert) }))).toBeUndefined();
  });

  test('is unknown where the file cannot be read, which is said and needs a yes as well', () => {
    const now = trustNow(factsOf(unit('-H tcp://0.0.0.0:2376 --tlsverify --tlscacert=/etc/docker/ca.pem')));
    const others = otherClients(now, ours.cert, NOBODY, NOW);
    expect(others).toEqual({ losing: [], unread: '/etc/docker/ca.pem', needsYes: true });
    expect(otherClientsNotes(others).join()).toSay('names-ca-daemon-accepts', '/etc/docker/ca.pem');
  });
});

describe('who loses a host', () => {
  const found = (trust: string) => ({ trust, path: '/etc/docker/ca.pem', ours: false });
  const own = (trust: string) => ({ trust, path: '/etc/docker/tls/current/ca.pem', ours: true });
  const names = (others: ReturnType<typeof otherClients>) => others.losing.map(({ subject }) => subject);

  test('every client of a CA that the daemon trusted and will not: named with its fingerprint, refused with the ways on', () => {
    const others = otherClients(found(theirs.cert), ours.cert, { ...NOBODY, ca: stored(ours) }, NOW);
    expect([names(others), others.needsYes]).toEqual([['Theirs'], true]);
    expect(otherClientsNotes(others)).toEqual([expect.toSay('client-ca-not-store', '"Theirs"', 'SHA256')]);
    const error = otherClientsLose('build-1', others, 'theirs');
    expect([error.code, error.exit, error.where]).toEqual(['E_OTHER_CLIENTS', 4, 'build-1']);
    expect(error.hints.join('\n')).toMatch(/--accept-ca existing[\s\S]*--reject-other-clients/);
  });

  test.each([
    ['the CA stays', () => [theirs.cert, theirs.cert, NOBODY]],
    ['an intermediate of a CA that stays', () => [below.cert + theirs.cert, theirs.cert, NOBODY]],
    ['a CA that has expired', () => [gone.cert, ours.cert, NOBODY]],
    [
      'a CA that was made here',
      () => [theirs.cert, ours.cert, { ...NOBODY, oldCas: [{ serial: '1', ...stored(theirs) }] }],
    ],
    ["one of our clients' own CAs", () => [theirs.cert, ours.cert, { ...NOBODY, issuers: new Map([['a', theirs]]) }]],
  ] as [string, () => [string, string, typeof NOBODY]][])('no client: %s', (_, of) => {
    const [trust, next, state] = of();
    expect(otherClients(found(trust), next, state, NOW)).toEqual({ losing: [], unread: undefined, needsYes: false });
  });

  test('clients of an imported CA, when the list of clients takes its place', () => {
    const state = { ...NOBODY, ca: stored(theirs, true), issuers: new Map([['ci', { cert: below.cert }]]) };
    const others = otherClients(own(theirs.cert), below.cert, state, NOW);
    expect([names(others), others.needsYes]).toEqual([['Theirs'], true]);
    expect(otherClients(own(theirs.cert), below.cert, { ...state, ca: stored(theirs) }, NOW).needsYes).toBe(false);
    // It is already a list: the client that is to lose the host has lost it.
    expect(otherClients(own(below.cert), below.cert, state, NOW).losing).toEqual([]);
  });

  test('a CA that was written into our own trust file by hand is drift: said, and put right', () => {
    const others = otherClients(own(ours.cert + theirs.cert), ours.cert, { ...NOBODY, ca: stored(ours) }, NOW);
    expect([names(others), others.needsYes]).toEqual([['Theirs'], false]);
  });
});

describe('--accept-ca', () => {
  const host = { name: 'build-1' };
  const input = (
    clients: { name: string; hosts?: string[] }[],
    issuer: IssuerBundle = { ids: certificateIds(below.cert), pem: below.cert, current: true },
  ): AccessView => ({
    ca: certificateIds(ours.cert)[0],
    oldCas: [],
    clients: new Map(clients.map((client) => [client.name, client])),
    issuers: new Map(clients.map(({ name }) => [name, issuer])),
    issuing: 'here',
    direct: () => false,
  });

  test('is what was said, what the daemon trusted before, or as it was', () => {
    const now = { trust: theirs.cert, path: '/x', ours: false };
    expect(acceptedCa(undefined, 'A', now)).toBe('A');
    expect(acceptedCa('none', 'A', now)).toBeUndefined();
    // If our own trust file is active by now, nothing existing remains to accept, and a note says so.
    expect(acceptedNotes(undefined, { ...now, ours: true }, 'existing').join()).toContain('has no effect');
    expect(acceptedNotes(undefined, { ...now, ours: true }, undefined)).toEqual([]);
    expect(acceptedCa('existing', undefined, now)).toBe(theirs.cert);
    expect(acceptedCa('existing', 'A', { ...now, ours: true })).toBe('A');
    expect(acceptedCa('existing', undefined, { ...now, ours: true })).toBeUndefined();
    expect(acceptedCa('PEM', 'A', now)).toBe('PEM');
  });

  test('stands beside our CA, once, and beside a list of clients', () => {
    expect(trustFor({ ...host, acceptCa: theirs.cert }, input([{ name: 'a' }]))).toEqual(
      certificateIds(ours.cert + theirs.cert),
    );
    expect(trustFor({ ...host, acceptCa: ours.cert }, input([{ name: 'a' }]))).toEqual(certificateIds(ours.cert));
    const issuer = { ids: certificateIds(ours.cert), pem: ours.cert, current: true };
    const listed = input([{ name: 'a' }, { name: 'b', hosts: [] }], issuer);
    expect(trustFor({ ...host, acceptCa: theirs.cert }, listed)).toEqual(certificateIds(ours.cert + theirs.cert));
  });

  test('keeps no client out that has a certificate of it, so that is refused', () => {
    const listed = input([{ name: 'a' }, { name: 'b', hosts: [] }]);
    expect(() => trustFor({ ...host, acceptCa: theirs.cert }, listed)).toThrow(
      expect.objectContaining({ code: 'E_CA_ACCEPTED', message: expect.stringContaining('"Theirs"') }),
    );
  });

  test('counts clients that get their issuing CA only by this run', () => {
    const coming = { ids: [newIssuerId('b')], pem: '', current: false };
    const listed = input([{ name: 'a' }, { name: 'b', hosts: [] }], coming);
    expect(() => trustFor({ ...host, acceptCa: ours.cert }, listed)).toThrow(
      expect.objectContaining({ code: 'E_CA_ACCEPTED', message: expect.stringContaining('so b cannot') }),
    );
  });

  test('its clients have to know our CA as well, which is said', () => {
    const now = { trust: theirs.cert, path: '/x', ours: false };
    expect(acceptedNotes(theirs.cert, now).join()).toMatch(/clients of the CA "Theirs".*docker-tls ca export/);
    expect(acceptedNotes(theirs.cert, { ...now, ours: true })).toEqual([]);
  });
});
