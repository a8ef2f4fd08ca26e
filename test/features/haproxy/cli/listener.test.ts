/** Decisions about hosts whose listener is HAProxy, by whole commands against hosts that answer with recorded facts. */

import { afterAll, expect, test } from 'vitest';
import type { CaRecord, ClientRecord, HostRecord } from '../../../../src/core/adapters/store/records.ts';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { issueClient } from '../../../../src/core/domain/pki/certificate.ts';
import { openAuthority } from '../../../../src/core/domain/pki/open-authority.ts';
import type { Probe } from '../../../../src/core/runtime.ts';
import { offeredCommands } from '../../../../src/core/seams/offered-commands.ts';
import { type DocumentPlace, documentPlace } from '../../../support/golden-documents.ts';
import { removeHomes } from '../../../support/store.ts';
import { listenerFacts } from '../support/listener-facts.ts';

afterAll(removeHomes);

const STATE = '/var/lib/docker-tls';
const MAP = '/etc/docker/tls/clients.map';

const outputs = { 'listener facts': listenerFacts() };

async function record(
  { home }: DocumentPlace,
  host: Partial<HostRecord>,
  client: Partial<ClientRecord> = {},
): Promise<void> {
  const store = openStore(home);
  const { hosts, clients } = await store.read();
  const [h1, eve] = [hosts.get('h1'), clients.get('eve')];
  if (h1 === undefined || eve === undefined) throw new Error('not in the store');
  await store.withLock('test', () =>
    store.write({
      hosts: { h1: { ...h1, record: { ...h1.record, ...host } } },
      clients: { eve: { ...eve, record: { ...eve.record, ...client } } },
    }),
  );
}

/** Facts of generation 2, whose first generation had another map of clients. */
function twoMaps(before: string, now: string): Record<string, string> {
  const file = (text: string) => `file 644 0:0\n# Written by docker-tls.\n${text}\n`;
  const snapshot = `file 600 0:0\n1\tlink\t777\t0:0\t/etc/docker/tls/current\n2\tfile\t644\t0:0\t${MAP}\n`;
  return {
    [`file:${MAP}`]: file(now),
    [`file:${STATE}/generations/1/manifest`]: snapshot,
    [`file:${STATE}/generations/1/2`]: file(before),
  };
}

const EVE = { full: 'issuer:eve eve/full/client:eve', read: 'issuer:eve eve/read/client:eve' };

test('a move that opens a port of before setup is refused', async () => {
  const place = await documentPlace();
  const managed = [
    { kind: 'link', path: '/etc/docker/tls/current' },
    { kind: 'file', path: '/etc/default/docker' },
  ];
  const generations = [1, 2].map((number) => ({ number, at: '2026-06-01T12:00:00Z', by: 'me', reason: 'test' }));
  const state = { schema: 1, name: 'h1', generation: 2, generations, managed };
  const origin = '1\tabsent\t-\t-\t/etc/docker/tls/current\n2\tfile\t644\t0:0\t/etc/default/docker\n';
  const facts = {
    'file:/etc/default/docker': 'file 644 0:0\nDOCKER_OPTS=""\n',
    [`file:${STATE}/state.json`]: `file 600 0:0\n${JSON.stringify(state)}`,
    [`file:${STATE}/origin/manifest`]: `file 600 0:0\n${origin}`,
    [`file:${STATE}/origin/2`]: 'file 644 0:0\nDOCKER_OPTS="-H tcp://0.0.0.0:2375"\n',
  };
  const { json } = await place.run(['setup', 'h1', '--listener', 'haproxy', '--dry-run'], {}, { outputs, facts });
  expect(JSON.stringify(json)).toContain('E_OPENS_PLAIN_TCP');
});

test('a rollback gives no client another role again in silence', async () => {
  const place = await documentPlace();
  await record(place, { listener: 'haproxy' }, { role: 'read' });
  const facts = twoMaps(EVE.full, EVE.read);
  const refused = await place.run(['rollback', 'h1', '--yes'], {}, { outputs, facts });
  expect(JSON.stringify(refused.json)).toSay('they-do-not-now', 'eve/full/client:eve');
  const same = await place.run(['rollback', 'h1', '--dry-run'], {}, { outputs, facts: twoMaps(EVE.read, EVE.read) });
  expect(JSON.stringify(same.json)).not.toSay('they-do-not-now', 'eve/full/client:eve');
  const agreed = await place.run(['rollback', 'h1', '--dry-run', '--allow-revoked'], {}, { outputs, facts });
  expect(JSON.stringify(agreed.json)).not.toSay('they-do-not-now', 'eve/full/client:eve');
});

test('a rollback to a list with a line that cannot be read is refused, whatever the host has now', async () => {
  const place = await documentPlace();
  const line = 'issuer:eve  eve/full/client:eve';
  const { [`file:${MAP}`]: _, ...dockerd } = twoMaps(line, '');
  for (const facts of [twoMaps(line, line), dockerd]) {
    const { json } = await place.run(['rollback', 'h1', '--dry-run'], {}, { outputs, facts });
    expect(JSON.stringify(json)).toSay('lines-did-not-write', line);
  }
  const agreed = await place.run(['rollback', 'h1', '--dry-run', '--allow-revoked'], {}, { outputs, facts: dockerd });
  expect(JSON.stringify(agreed.json)).not.toContain('did not write');
});

test('a rollback to a time when dockerd accepted clients itself is refused while one of them is limited', async () => {
  const place = await documentPlace();
  await record(place, { listener: 'haproxy' }, { role: 'read' });
  const limited = await place.run(['rollback', 'h1', '--dry-run'], {}, { outputs });
  expect(JSON.stringify(limited.json)).toContain('E_ROLE_DOCKERD');
  await record(place, {}, { role: 'full' });
  const full = await place.run(['rollback', 'h1', '--dry-run'], {}, { outputs });
  expect(JSON.stringify(full.json)).not.toContain('E_ROLE_DOCKERD');
});

test('a client that comes, goes or gets another role changes the hosts that list clients', async () => {
  const place = await documentPlace();
  const hosts = async (...argv: string[]) =>
    (await place.run([...argv, '--dry-run'], {}, { outputs })).json.result?.hosts?.map(
      ({ host }: { host: string }) => host,
    ) ?? [];
  // dockerd accepts every client of the CA, so it need not change.
  expect(await hosts('client', 'add', 'new')).toEqual([]);
  await record(place, { listener: 'haproxy', accepts: ['eve full', 'laptop full'] });
  expect(await hosts('client', 'add', 'new')).toEqual(['h1']);
  expect(await hosts('client', 'add', 'eve', '--role', 'monitor')).toEqual(['h1']);
  expect(await hosts('client', 'add', 'eve', '--days', '30')).toEqual([]);
  // The change of a role that the host did not get.
  await record(place, { accepts: ['eve read', 'laptop full'] });
  expect(await hosts('client', 'add', 'eve', '--days', '40')).toEqual(['h1']);
});

test('a client that the host rejects is never taken for one of a similar name that it accepts', async () => {
  const place = await documentPlace();
  const [long, twin] = ['b', 'c'].map((end) => `${'a'.repeat(48)}${end}`);
  for (const name of [long, twin]) await place.run(['client', 'add', `${name}`, '--yes'], {}, { outputs });
  await record(place, { listener: 'haproxy', clients: ['laptop', `${long}`] });
  const { json } = await place.run(['setup', 'h1', '--dry-run'], {}, { outputs });
  expect(JSON.stringify(json)).toContain('E_CLIENTS_ALIKE');
});

/** A place whose CA signs leaves only: it signed the certificates of both clients itself. */
async function leafOnlyPlace(listener: 'haproxy' | 'dockerd', issuersStay = false): Promise<DocumentPlace> {
  const place = await documentPlace();
  const store = openStore(place.home);
  const { ca, clients, hosts } = await store.read();
  const h1 = hosts.get('h1');
  if (ca?.keyPem === undefined || h1 === undefined) throw new Error('not in the store');
  const authority = openAuthority({ cert: ca.cert, key: ca.keyPem });
  const signed = await Promise.all(
    [...clients.values()].map(async ({ record, ca: trusts }) => {
      const { leaf, key } = await issueClient({ authority, name: record.name, days: 30, now: new Date() });
      return [record.name, { record, ca: trusts, cert: leaf, key }] as const;
    }),
  );
  const { keyPem: _, ...external } = ca;
  const listed = listener === 'haproxy' ? { listener, accepts: ['eve full', 'laptop full'] } : {};
  await store.withLock('test', () =>
    store.write({
      ca: { ...external, record: { ...ca.record, leafOnly: true, external: { kind: 'command', command: 'false' } } },
      removeIssuers: issuersStay ? [] : ['eve', 'laptop'],
      clients: Object.fromEntries(signed),
      hosts: { h1: { ...h1, ca: ca.cert, record: { ...h1.record, ...listed } } },
    }),
  );
  return place;
}

const REFUSAL = '{"message":"docker-tls: client eve has the role read, which does not allow GET"}';

/** Connections of which h1 accepts those of laptop alone, and `also`. */
async function probeOf({ home }: DocumentPlace, ...also: string[]): Promise<Probe> {
  const { clients, hosts } = await openStore(home).read();
  const chain = hosts.get('h1')?.serverCert ?? '';
  const certs = ['laptop', ...also].map((name) => clients.get(name)?.cert);
  return async ({ credentials, maxVersion, path }) =>
    certs.includes(credentials?.cert) && maxVersion === undefined
      ? {
          ...{ kind: 'accepted', protocol: 'TLSv1.3', chain, elapsedMs: 1 },
          ...(path === undefined ? { status: 200, body: '' } : { status: 403, body: REFUSAL }),
        }
      : { kind: 'refused', cause: 'client-refused', reason: 'why', chain, elapsedMs: 1 };
}

test('a client of a CA that signs leaves only is revoked where HAProxy lists clients, and not where dockerd listens', async () => {
  const dockerd = await leafOnlyPlace('dockerd');
  const refused = await dockerd.run(['client', 'revoke', 'eve', '--yes'], {}, { outputs });
  expect([refused.exit, refused.json.error?.code]).toEqual([2, 'E_CA_LEAF_ONLY']);
  expect(JSON.stringify(refused.json)).toContain('docker-tls setup h1 --listener haproxy');

  const place = await leafOnlyPlace('haproxy');
  const probe = await probeOf(place, 'eve');
  const failed = await place.run(['client', 'revoke', 'eve', '--yes'], { probe }, { outputs });
  expect(JSON.stringify(failed.json)).toSay('verification-failed-accepted-revoked', 'eve');
  const { clients, hosts } = await openStore(place.home).read();
  expect(clients.get('eve')?.record.revokedAt).toBeDefined();
  // The host has not taken it: the records say so, and the same command tries again.
  expect(hosts.get('h1')?.record.accepts).toContain('eve full');
  const again = await place.run(['client', 'revoke', 'eve', '--dry-run'], {}, { outputs });
  expect(again.json.result?.hosts).toEqual([expect.objectContaining({ host: 'h1' })]);
  const status = await place.run(['status', '--offline'], {}, { outputs });
  expect(JSON.stringify(status.json)).toContain('"revoked":true');
  const moved = await place.run(['setup', 'h1', '--listener', 'dockerd', '--dry-run'], {}, { outputs });
  expect(JSON.stringify(moved.json)).toContain('E_CA_LEAF_ONLY');
});

test('once the host has taken the revocation, the records say that it accepts the others alone, and a rollback is judged by the list', async () => {
  const place = await leafOnlyPlace('haproxy');
  const probe = await probeOf(place);
  const done = await place.run(['client', 'revoke', 'eve', '--yes'], { probe }, { outputs });
  expect([done.exit, done.json.error]).toEqual([0, undefined]);
  expect((await openStore(place.home).read()).hosts.get('h1')?.record.accepts).toEqual(['laptop full']);
  const again = await place.run(['client', 'revoke', 'eve', '--dry-run'], {}, { outputs });
  expect(again.json.result?.hosts).toEqual([]);
  const status = JSON.stringify((await place.run(['status', '--offline'])).json);
  expect(status).not.toContain('revoked client eve');
  expect(status).not.toContain('"revoked":true');
  const laptop = 'subject:laptop laptop/full/client:laptop';
  const rollback = async (before: string) =>
    JSON.stringify(
      (await place.run(['rollback', 'h1', '--dry-run'], {}, { outputs, facts: twoMaps(before, laptop) })).json,
    );
  expect(await rollback(laptop)).not.toContain('E_ACCEPTS_REVOKED');
  expect(await rollback(`${laptop}\nsubject:eve eve/full/client:eve`)).toSay('before-revoked', 'eve');
});

test('a client that is revoked while the host changes is not recorded as accepted', async () => {
  const place = await leafOnlyPlace('haproxy');
  const probe = await probeOf(place, 'eve');
  const onChange = async (phase: string) => {
    if (phase === 'apply') await record(place, {}, { role: 'read', revokedAt: new Date().toISOString() });
  };
  const { json } = await place.run(
    ['client', 'add', 'eve', '--role', 'read', '--yes'],
    { probe },
    { outputs, onChange },
  );
  expect(JSON.stringify(json)).toContain('E_STORE_CHANGED');
});

test('verify tries a request outside of each role whose key is here, and the port that dockerd must not have', async () => {
  const place = await documentPlace();
  await record(place, { listener: 'haproxy', accepts: ['eve read', 'laptop full'] }, { role: 'read' });
  const accepts = await probeOf(place, 'eve');
  const verify = async (status: number, body = REFUSAL) => {
    const probe: Probe = async (request) => {
      const found = await accepts(request);
      return found.kind === 'accepted' && request.path !== undefined ? { ...found, status, body } : found;
    };
    return (await place.run(['verify', 'h1'], { probe })).json.result?.hosts[0];
  };
  const closed = await verify(403);
  expect(closed.ok).toBe(true);
  expect(closed.checks).toContainEqual(
    expect.objectContaining({ who: 'client eve (read), GET /configs/docker-tls', request: 'GET /configs/docker-tls' }),
  );
  expect(closed.checks).toContainEqual(
    expect.objectContaining({ who: 'plain HTTP, port 2375', outcome: expect.toSay('nothing-speaks-http') }),
  );
  expect((await verify(404)).ok).toBe(false);
  expect((await verify(403, '{"message":"authorization denied by plugin x"}')).ok).toBe(false);
});

test('a socket with the role full is refused: it would be docker.sock', async () => {
  const place = await documentPlace();
  const setup = ['setup', 'h1', '--listener', 'haproxy', '--dry-run', '--socket'];
  const full = await place.run([...setup, 'all full'], {}, { outputs });
  expect([full.exit, full.json.error?.message]).toEqual([2, expect.stringContaining('would be docker.sock itself')]);
  const fuller = await place.run([...setup, 'all fuller'], {}, { outputs });
  expect(JSON.stringify(fuller.json)).toContain('E_ROLE_UNKNOWN');
});

test('a socket is added to a host with HAProxy, or to a host that has never been set up, and then without a port in the network', async () => {
  const place = await documentPlace();
  const dockerd = await place.run(['socket', 'add', 'ci', 'h1', '--dry-run'], {}, { outputs });
  expect([dockerd.exit, dockerd.json.error?.message]).toEqual([4, expect.stringContaining('dockerd itself')]);
  const files = async (...argv: string[]) => {
    const { json } = await place.run([...argv, '--dry-run'], {}, { outputs });
    const plan = json.result?.hosts?.[0]?.plan;
    const text = (name: string): string =>
      plan?.files.find(({ path }: { path: string }) => path.endsWith(name))?.after ?? JSON.stringify(json);
    const units = (plan?.files ?? []).flatMap(({ path }: { path: string }) => /[^/]+\.socket$/.exec(path) ?? []);
    return {
      units: [...new Set(units)].sort(),
      service: text('docker-tls-haproxy.service'),
      config: text('haproxy.cfg'),
    };
  };
  const fresh = await files('socket', 'add', 'ci', 'root@h9', '--role', 'monitor');
  expect(fresh.units).toEqual(['docker-tls-role@.socket', 'docker-tls-role@ci.socket']);
  expect(fresh.config.match(/^ *(?:bind|frontend) .*$/gm)).toEqual([
    'frontend socket:ci',
    expect.stringMatching(/^ {2}bind .*LISTEN3/),
  ]);
  expect(fresh.config).toContain('set-var(txn.role) str(monitor)');
  await record(place, { listener: 'haproxy', sockets: ['ci read', 'dozzle read'] });
  const more = await files('socket', 'add', 'traefik', 'h1');
  const held = (names: readonly string[]) => [
    'docker-tls.socket',
    ...names.map((name) => `docker-tls-role@${name}.socket`),
  ];
  expect(more.service).toContain(`\nSockets=${held(['ci', 'dozzle', 'traefik']).join(' ')}\n`);
  const less = await files('socket', 'remove', 'ci', 'h1');
  expect(less.service).toContain(`\nSockets=${held(['dozzle']).join(' ')}\n`);
  const other = await place.run(['socket', 'remove', 'none', 'h1', '--yes'], {}, { outputs });
  expect([other.exit, other.json.error?.message]).toEqual([4, expect.toSay('no-socket-none')]);
  for (const [name, role] of [
    ['../x', 'read'],
    ['ci', 'full'],
  ] as const) {
    const wrong = await place.run(['socket', 'add', name, 'h1', '--role', role], {}, { outputs });
    expect(wrong.exit, wrong.out).toBe(2);
  }
  const asked = await place.run(['socket', 'remove', 'ci', 'h1'], {}, { outputs });
  expect(asked.json.error?.code).toBe('E_NO_TERMINAL');
});

test('a host without a port needs a socket and makes no client, and commands that connect to it say so', async () => {
  const place = await documentPlace();
  const { json } = await place.run(['socket', 'add', 'ci', 'root@h9', '--dry-run'], {}, { outputs });
  expect(JSON.stringify(json)).not.toContain('"kind":"client"');
  const setup = ['setup', 'h1', '--listener', 'haproxy', '--dry-run', '--listen', 'none'];
  const nothing = await place.run(setup, {}, { outputs });
  expect(nothing.exit).toBe(2);
  expect(nothing.json.error).toMatchObject({
    code: 'E_USAGE',
    hints: ['docker-tls socket add NAME h1', expect.stringContaining('docker-tls remove h1')],
  });
  const dockerd = await place.run(['setup', 'h1', '--dry-run', '--listen', 'none'], {}, { outputs });
  expect([dockerd.exit, dockerd.json.error?.code]).toEqual([2, 'E_USAGE']);
  expect(dockerd.json.error?.hints[0]).toContain('docker-tls setup h1 --listener haproxy --listen none');
  const both = await place.run([...setup, '--listen', '10.0.0.1', '--socket', 'ci read'], {}, { outputs });
  expect([both.exit, both.json.error?.message]).toEqual([2, expect.stringContaining('none stands alone')]);
  await record(place, { listener: 'haproxy', sockets: ['ci read'], listen: ['none'] });
  const env = await place.run(['env', 'h1'], {}, { outputs });
  expect([env.exit, env.json.error?.code]).toEqual([2, 'E_NO_PORT']);
  expect(env.json.error?.hints).toEqual(['docker-tls socket add NAME h1']);
  const status = await place.run(['status', '--offline']);
  expect(JSON.stringify(status.json)).not.toContain(':2376');
});

/** Changes the record of the CA. */
async function change({ home }: DocumentPlace, next: (record: CaRecord) => CaRecord): Promise<void> {
  const store = openStore(home);
  const { ca } = await store.read();
  if (ca === undefined) throw new Error('not in the store');
  await store.withLock('test', () => store.write({ ca: { ...ca, record: next(ca.record) } }));
}

/** Keys of the map that a command would give h1. */
async function keysBy(place: DocumentPlace, ...argv: string[]): Promise<string[]> {
  const { json } = await place.run([...argv, '--dry-run'], {}, { outputs });
  const { hosts } = json.result?.stages?.[0] ?? json.result ?? {};
  const files: { path: string; after?: string }[] = hosts?.[0].plan.files ?? [];
  const map = files.find(({ path }) => path === MAP)?.after ?? '';
  return map.split('\n').flatMap((line) => /^\w+:\w+/.exec(line)?.[0] ?? []);
}

test('a client is known by each kind of certificate that it may present, and by no other', async () => {
  const both = ['issuer:eve', 'issuer:laptop', 'subject:eve', 'subject:laptop'];
  const place = await documentPlace();
  await record(place, { listener: 'haproxy' });
  // A CA that is no leaf-only CA may have signed the name of a client for another program.
  expect(await keysBy(place, 'setup', 'h1')).toEqual(['issuer:eve', 'issuer:laptop']);
  // Imported again, the CA may sign issuing CAs: a client gets one at its next rotation, which changes no host.
  const leafOnly = await leafOnlyPlace('haproxy');
  expect(await keysBy(leafOnly, 'setup', 'h1')).toEqual(both);
  // The new CA makes issuing CAs; clients have their old certificates until stage 2, and others until they fetch new ones.
  for (const one of offeredCommands('new CA', '--no-ca-passphrase'))
    expect(await keysBy(leafOnly, ...one.split(' ').slice(1))).toEqual(both);
  // Imported again as leaf-only: issuing CAs stay, renewals are direct.
  expect(await keysBy(await leafOnlyPlace('haproxy', true), 'setup', 'h1')).toEqual(both);
  // A client that fetched nothing yet has a direct certificate, whatever the store has by now.
  await change(place, (record) => ({ ...record, leafOnly: true }));
  expect(await keysBy(place, 'setup', 'h1')).toEqual(both);
  // The CA signs issuing CAs by now, but the certificates on record are from before.
  const stayed = await leafOnlyPlace('haproxy', true);
  await change(stayed, ({ leafOnly: _, ...record }) => record);
  expect(await keysBy(stayed, 'setup', 'h1')).toEqual(both);
});

test('a rollback is verified as a client on the list that comes back, and by a revoked one that is not on it', async () => {
  const [eve, laptop] = ['eve', 'laptop'].map((name) => `subject:${name} ${name}/full/client:${name}`) as [
    string,
    string,
  ];
  const place = await leafOnlyPlace('haproxy');
  const { clients } = await openStore(place.home).read();
  const accepts = await probeOf(place, 'eve');
  const rollback = async (before: string, refused: string) => {
    const tried = new Set<string>();
    const probe: Probe = async (request) => {
      const cert = request.credentials?.cert;
      for (const [name, one] of clients) if (one.cert === cert) tried.add(name);
      const found = await accepts(request);
      return cert !== clients.get(refused)?.cert || found.kind === 'refused'
        ? found
        : { kind: 'refused', cause: 'client-refused', reason: 'why', chain: found.chain, elapsedMs: 1 };
    };
    const facts = twoMaps(before, `${eve}\n${laptop}`);
    const { exit } = await place.run(['rollback', 'h1', '--yes'], { probe }, { outputs, facts });
    return { exit, tried: [...tried] };
  };
  expect(await rollback(eve, 'laptop')).toEqual({ exit: 0, tried: ['eve'] });
  await record(place, {}, { revokedAt: new Date().toISOString() });
  expect(await rollback(laptop, 'eve')).toEqual({ exit: 0, tried: ['laptop', 'eve'] });
});
