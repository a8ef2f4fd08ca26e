/** Another CA whose clients a host accepts: every list of accepted clients names it. */

import { dirname, join } from 'node:path';
import pico from 'picocolors';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StoredHost } from '../../src/core/adapters/store/records.ts';
import { openStore } from '../../src/core/adapters/store/store.ts';
import { renderAccepted } from '../../src/core/commands/status-table.ts';
import type { Accepted, StatusRow } from '../../src/core/domain/status-row.ts';
import { acceptance } from '../../src/core/domain/trust/accepted.ts';
import { hostRow, statusRows } from '../../src/core/domain/trust/status-rows.ts';
import type { Probe } from '../../src/core/runtime.ts';
import { answeringHosts } from '../support/answering-hosts.ts';
import { CertificateFactory } from '../support/certificate-factory.ts';
import { runCli } from '../support/cli.ts';
import { issueStore } from '../support/issued-store.ts';
import { newHome, removeHomes } from '../support/store.ts';

const factory = new CertificateFactory();
const now = new Date();
const home = newHome();
const [company, gone] = [
  factory.issue('Company CA', { ca: true, to: 400 }),
  factory.issue('Gone CA', { ca: true, from: -9, to: -1 }),
];
const until = new Date(now.getTime() + 400 * 86_400_000).toISOString().slice(0, 10);
const named = `every client of the CA "Company CA" (until ${until})`;
let laptop = '';

beforeAll(async () => {
  await issueStore(home, { now, hosts: { h1: {}, h2: {} }, clients: { laptop: undefined } });
  const store = openStore(home);
  await store.withLock('test', async () => {
    const { hosts, clients } = await store.read();
    laptop = clients.get('laptop')?.cert ?? '';
    const h1 = hosts.get('h1');
    if (h1 === undefined) throw new Error('no host');
    const acceptCa = company.cert + gone.cert;
    await store.write({
      hosts: { h1: { ...h1, ca: h1.ca + acceptCa, record: { ...h1.record, acceptCa } } },
    });
  });
});

afterAll(() => {
  factory.remove();
  removeHomes();
});

async function run(...argv: string[]) {
  const served = (await openStore(home).read()).hosts;
  const probe: Probe = async ({ credentials, maxVersion }) => {
    const chain = served.get(argv[argv.length - 1] ?? '')?.serverCert ?? served.get('h1')?.serverCert ?? '';
    return credentials?.cert === laptop && maxVersion === undefined
      ? { kind: 'accepted', status: 200, body: '', protocol: 'TLSv1.3', chain, elapsedMs: 1 }
      : { kind: 'refused', cause: 'client-refused', reason: 'why', chain, elapsedMs: 1 };
  };
  const directory = dirname(home);
  const done = await runCli(argv, {
    cwd: directory,
    env: { HOME: directory, DOCKER_CONFIG: join(directory, 'docker'), DOCKER_TLS_HOME: home },
    now: () => now,
    connect: answeringHosts({ home, now }),
    probe,
    io: { columns: 200 },
  });
  const { exit, err } = done;
  return { exit, err, out: done.out.replace(/\s+/g, ' ') };
}

test.each([
  ['the plan of a host that is in sync', ['plan', 'h1'], `accepts ${named}`],
  ['the plan of several hosts', ['plan', 'h1', 'h2'], `accepts ${named}: h1`],
  ['verify', ['verify', 'h1'], `! ${named}: accepted as well (not tried)`],
  ['status', ['status', '--offline'], `h1: accepts ${named}`],
  ['client list', ['client', 'list'], `${named} is accepted by h1`],
])('%s', async (_, argv, text) => {
  const { out, err } = await run(...argv);
  expect(out, err).toContain(text);
  expect(out).not.toContain('Gone CA');
  expect(out.split('Company CA')).toHaveLength(2);
});

test('status of a named host lists every CA and client that it accepts, with expiry', async () => {
  const { out } = await run('status', 'h1', '--offline');
  expect(out).toSay('accepted-according-store-name', 'h1');
  expect(out).toSay('ca-test-every-client');
  expect(out).toSay('store-does-not-know');
  expect(out).toMatch(/ client laptop \d{4}-\d\d-\d\d full/);
  expect((await run('status', '--offline')).out).not.toContain('accepted, according');
  const pattern = await run('status', '--limit', 'h*', '--offline');
  for (const name of ['h1', 'h2']) expect(pattern.out).toSay('accepted-according-store', name);
  const { rows } = JSON.parse((await run('status', '--offline', '--json')).out).result;
  const { accepts } = rows.find((row: { name: string }) => row.name === 'h1');
  expect(accepts.cas.map(({ role, subject }: { role: string; subject: string }) => [role, subject])).toEqual([
    ['ca', expect.stringMatching(/^test /)],
    ['other', 'Company CA'],
  ]);
  expect(accepts.clients).toEqual([
    { name: 'laptop', notAfter: expect.any(String), own: expect.any(Boolean), revoked: false, role: 'full' },
  ]);
});

test.each([
  [undefined, expect.toSay('ca-test-every-client-ca')],
  [{ others: undefined }, expect.toSay('ca-none-clients-no', '--other-clients')],
  [{ others: 'read' }, expect.toSay('ca-test-clients-listed-ca')],
])('a listener accepts the clients of a list, with their roles (%j)', async (listener, expected) => {
  const rows = statusRows(await openStore(home).read(), new Map(), { now, withinDays: undefined });
  const h1 = rows.find(({ kind, name }) => kind === 'host' && name === 'h1') as StatusRow;
  expect(h1.accepts?.listener).toBeUndefined();
  const { cas = [], clients = [] } = h1.accepts ?? {};
  const [laptop] = clients as [Accepted['clients'][number]];
  const row = { ...h1, accepts: { cas, clients: [{ ...laptop, role: 'monitor' }], listener } };
  const [text = ''] = renderAccepted(row, pico.createColors(false));
  expect(text.replace(/\s+/g, ' ')).toEqual(expected);
  expect(text).toMatch(/client +laptop +\S+ +monitor/);
  const [narrow = ''] = renderAccepted(row, pico.createColors(false), 80);
  for (const line of narrow.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});

test('a host with a listener says so, with the role of clients of other CAs', async () => {
  const state = await openStore(home).read();
  const host = state.hosts.get('h1') as StoredHost;
  const accepted = acceptance(state, now);
  const row = (record: Partial<StoredHost['record']>) =>
    hostRow({ ...host, record: { ...host.record, ...record } }, undefined, { now, withinDays: undefined }, accepted);
  expect(row({ listener: 'haproxy', otherClients: 'read' }).accepts?.listener).toEqual({ others: 'read' });
  expect(row({ listener: 'haproxy' }).accepts?.listener).toEqual({ others: undefined });
  expect(row({ listener: 'dockerd' }).accepts?.listener).toBeUndefined();
});

test('the same in JSON, with the fingerprint', async () => {
  const ca = expect.objectContaining({ subject: 'Company CA', fingerprint: expect.stringMatching(/^[0-9A-F:]{95}$/) });
  const json = async (...argv: string[]) => JSON.parse((await run(...argv, '--json')).out).result;
  expect((await json('plan', 'h1')).hosts[0].otherCas).toEqual([ca]);
  expect((await json('verify', 'h1')).hosts[0].otherCas).toEqual([ca]);
  const { rows } = await json('status', '--offline');
  const host = (name: string) => rows.find((row: { name: string; kind: string }) => row.name === name);
  expect([host('h1').otherCas, host('h2').otherCas]).toEqual([[ca], undefined]);
  expect((await json('client', 'list')).otherCas).toEqual([
    expect.objectContaining({ subject: 'Company CA', hosts: ['h1'] }),
  ]);
});
