/** Complete changes on hosts that answer as their scripts do: verification, outcome, and steps that need separate consent. */

import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { StoredClient } from '../../src/core/adapters/store/records.ts';
import { openStore } from '../../src/core/adapters/store/store.ts';
import type { Probe } from '../../src/core/runtime.ts';
import { ANSWERING_KEY, type AnsweringHosts, answeringHosts } from '../support/answering-hosts.ts';
import { CertificateFactory } from '../support/certificate-factory.ts';
import { type CliRun, type CliSetting, runCli } from '../support/cli.ts';
import { issueStore } from '../support/issued-store.ts';
import { newHome, removeHomes } from '../support/store.ts';

const factory = new CertificateFactory();
const now = new Date();
let home: string;
let directory: string;
/** Scripts that change something, in order. */
let phases: string[];
/** Client certificates used in connections. */
let tried: string[];
let accepted: (cert: string) => boolean;
let served: string;

afterAll(() => {
  removeHomes();
  factory.remove();
});

beforeEach(async () => {
  home = newHome();
  directory = dirname(home);
  phases = [];
  tried = [];
  await issueStore(home, { now, hosts: { h1: {} }, clients: { laptop: undefined, eve: undefined } });
  const laptop = (await client('laptop')).cert;
  accepted = (cert) => cert === laptop;
  served = (await host()).serverCert;
});

const store = () => openStore(home);
const host = async (name = 'h1') => {
  const found = (await store().read()).hosts.get(name);
  if (found === undefined) throw new Error(`no host ${name}`);
  return found;
};
const client = async (name: string) => (await store().read()).clients.get(name) as StoredClient & { directory: string };

const probe: Probe = async ({ credentials, maxVersion }) => {
  const cert = credentials?.cert ?? '';
  if (cert !== '') tried.push(cert);
  return accepted(cert) && maxVersion === undefined
    ? { kind: 'accepted', status: 200, body: '', protocol: 'TLSv1.3', chain: served, elapsedMs: 1 }
    : { kind: 'refused', cause: 'client-refused', reason: 'why', chain: served, elapsedMs: 1 };
};

function run(argv: readonly string[], hosts: Partial<AnsweringHosts> = {}, setting: CliSetting = {}): Promise<CliRun> {
  return runCli(argv, {
    ...setting,
    cwd: directory,
    env: { HOME: directory, DOCKER_CONFIG: join(directory, 'docker'), DOCKER_TLS_HOME: home },
    now: () => now,
    connect: setting.connect ?? answeringHosts({ home, now, onChange: (phase) => phases.push(phase), ...hosts }),
    probe,
  });
}

describe('client revoke', () => {
  const revoke = ['client', 'revoke', 'eve', '--yes'];

  test('tries the certificate that is revoked, and says so', async () => {
    const eve = (await client('eve')).cert;
    const { serverKey } = await host();
    const { exit, out, err } = await run(revoke);
    expect([exit, phases]).toEqual([0, ['apply', 'commit']]);
    expect(err).toMatch(/^h1: done: generation \d+$/m);
    // The certificate stays, and so does its key.
    expect((await host()).serverKey?.revealText()).toBe(serverKey?.revealText() ?? 'none');
    expect(tried).toContain(eve);
    // The holder of the server's own key must not be accepted as a client either.
    expect(tried).toContain((await host()).serverCert);
    expect(out).toSay('revoked-host-rejects-tried', 'eve', '1');
  });

  test('a host that still accepts it is rolled back, and no text says that it rejects it', async () => {
    accepted = () => true;
    const { exit, out, err } = await run(revoke);
    expect([exit, phases]).toEqual([7, ['apply', 'undo']]);
    expect(err).toContain('revoked client eve');
    expect(out).toSay('revoked-but-hosts-failed', 'eve');
  });

  test('without its key here it is not tried, and no text says that it was', async () => {
    const { key: _, directory: __, ...eve } = await client('eve');
    const locked = store();
    await locked.withLock('test', () => locked.write({ clients: { eve } }));
    const { exit, out } = await run(revoke);
    expect([exit, tried.includes(eve.cert)]).toEqual([0, false]);
    expect(out).toSay('revoked-host-rejects', 'eve', '1');
  });
});

test('a host that serves another certificate than the one sent goes back, and the store keeps the old one', async () => {
  const before = (await host()).serverCert;
  const { exit, err } = await run(['rotate', 'server', 'h1', '--yes']);
  expect([exit, phases]).toEqual([7, ['apply', 'undo']]);
  expect(err).toSay('host-serves-another-certificate');
  expect((await host()).serverCert).toBe(before);
});

test('a first setup that fails leaves no CA and no client behind', async () => {
  home = newHome();
  accepted = () => false;
  const { exit } = await run(['setup', 'root@h9', '--client', 'new', '--no-ca-passphrase', '--yes']);
  expect([exit, phases.at(-1)]).toEqual([7, 'undo']);
  const { ca, oldCas, clients, hosts } = await store().read();
  expect([ca, oldCas.length, clients.size, hosts.size]).toEqual([undefined, 0, 0, 0]);
});

test('Ctrl-C once the plan of a setup is shown ends as an interruption, and nothing is stored', async () => {
  home = newHome();
  const interrupt = new AbortController();
  const err = (text: string) => {
    if (text.includes('rollback')) interrupt.abort();
  };
  const { exit, json } = await run(
    ['setup', 'root@h9', '--client', 'new', '--no-ca-passphrase', '--yes', '--json'],
    {},
    { signal: interrupt.signal, io: { err } },
  );
  expect([interrupt.signal.aborted, exit, json.error?.code, json.error?.where]).toEqual([
    true,
    130,
    'E_INTERRUPTED',
    'h9',
  ]);
  const { ca, hosts } = await store().read();
  expect([phases, ca, hosts.size]).toEqual([[], undefined, 0]);
});

describe('a rollback is verified', () => {
  const back = ['rollback', 'h1', '--yes'];
  beforeEach(async () => {
    const clients = [(await client('laptop')).cert, (await client('eve')).cert];
    accepted = (cert) => clients.includes(cert);
  });

  test("with a client, with the server's own certificate, and with that of a revoked client", async () => {
    const eve = (await client('eve')).cert;
    const laptop = (await client('laptop')).cert;
    accepted = (cert) => cert === laptop;
    await run(['client', 'revoke', 'eve', '--yes']);
    tried = [];
    const { exit } = await run(back);
    expect(exit).toBe(0);
    expect(tried).toEqual(expect.arrayContaining([eve, (await host()).serverCert, laptop]));
  });

  test.each([
    ["the server's own certificate is accepted", (cert: string) => cert === served],
    ['a revoked client is accepted', (cert: string) => cert !== served],
  ] as const)('%s: it is taken back', async (_, also) => {
    const laptop = (await client('laptop')).cert;
    accepted = (cert) => cert === laptop;
    await run(['client', 'revoke', 'eve', '--yes']);
    accepted = (cert) => cert === laptop || (cert !== '' && Boolean(also(cert)));
    phases = [];
    expect([(await run(back)).exit, phases]).toEqual([7, ['apply', 'undo']]);
  });

  test('another certificate than that of the generation is served: it is taken back', async () => {
    served = factory.issue('Another', { ca: true }).cert;
    expect([(await run(back)).exit, phases]).toEqual([7, ['apply', 'undo']]);
  });

  test('with a certificate of another key: the store keeps no key beside it that is not its own', async () => {
    served = factory.issue('Earlier', { ca: true }).cert;
    const facts = { 'file:/etc/docker/tls/1/server-cert.pem': `file 444 0:0\n${served}` };
    expect([(await run(back, { facts })).exit, phases]).toEqual([0, ['apply', 'commit']]);
    const { serverCert, serverKey } = await host();
    expect([serverCert.trim(), serverKey]).toEqual([served.trim(), undefined]);
  });

  test('a generation that trusts a CA which this store does not know needs a flag of its own', async () => {
    const theirs = factory.issue('Theirs', { ca: true });
    const facts = { 'file:/etc/docker/tls/1/ca.pem': `file 444 0:0\n${(await host()).ca}${theirs.cert}` };
    const refused = await run([...back, '--json'], { facts });
    expect([refused.exit, refused.json.error?.code, phases]).toEqual([4, 'E_ACCEPTS_REVOKED', []]);
    expect(refused.json.error?.message).toContain('Theirs');
    expect([(await run([...back, '--allow-revoked'], { facts })).exit, phases]).toEqual([0, ['apply', 'commit']]);
  });

  test('to a generation that accepts a revoked client again: not as that client', async () => {
    const eve = (await client('eve')).cert;
    const laptop = (await client('laptop')).cert;
    accepted = (cert) => cert === laptop;
    await run(['client', 'revoke', 'eve', '--yes']);
    const ca = (await store().read()).ca?.cert;
    const facts = { 'file:/etc/docker/tls/1/ca.pem': `file 444 0:0\n${ca}` };
    tried = [];
    phases = [];
    expect([(await run([...back, '--allow-revoked'], { facts })).exit, phases]).toEqual([0, ['apply', 'commit']]);
    expect([tried.includes(laptop), tried.includes(eve)]).toEqual([true, false]);
  });
});

test('a host with nothing to change is verified all the same, and is not changed when that fails', async () => {
  const facts = { 'file:/etc/docker/tls/current': 'link 777 0:0\n1' };
  const back = ['rollback', 'h1', '--to', '1', '--yes'];
  const clients = [(await client('laptop')).cert, (await client('eve')).cert];
  accepted = (cert) => clients.includes(cert);
  expect([(await run(back, { facts })).exit, phases]).toEqual([0, []]);
  accepted = () => false;
  const { exit, err } = await run(back, { facts });
  expect([exit, phases]).toEqual([7, []]);
  expect(err).toSay('host-not-changed');
});

describe('what --yes alone does not agree to', () => {
  test('clients of a CA that the daemon accepts now, which this store does not know', async () => {
    const theirs = factory.issue('Theirs', { ca: true });
    const facts = {
      'file:/etc/default/docker':
        'file 644 0:0\nDOCKER_OPTS="-H tcp://0.0.0.0:2376 --tlsverify --tlscacert=/etc/docker/ca.pem --tlscert=/c --tlskey=/k"\n',
      'file:/etc/docker/ca.pem': `file 644 0:0\n${theirs.cert}`,
    };
    const setup = ['setup', 'root@h9', '--json', '--yes'];
    const { json } = await run(setup, { facts });
    const codes = json.error?.errors?.map(({ code }) => code) ?? [json.error?.code];
    expect([codes.includes('E_OTHER_CLIENTS'), phases]).toEqual([true, []]);
    const agreed = await run([...setup, '--reject-other-clients'], { facts });
    expect(agreed.out).not.toContain('E_OTHER_CLIENTS');
  });

  test('a TCP port without TLS that opens again', async () => {
    const facts = {
      'file:/etc/default/docker': 'file 644 0:0\nDOCKER_OPTS="-H tcp://0.0.0.0:2375"\n',
    };
    const remove = ['remove', 'h1', '--json', '--yes'];
    const { exit, json } = await run(remove, { facts });
    expect([exit, json.error?.code, phases]).toEqual([4, 'E_OPENS_PLAIN_TCP', []]);
    expect((await run([...remove, '--allow-plain-tcp'], { facts })).exit).toBe(0);
    expect(phases).toEqual(['apply', 'commit']);
  });
});

describe('one host under two names', () => {
  test('a host of the store is not set up again under another', async () => {
    const before = await store().read();
    const { exit, json } = await run(['setup', 'root@alias', '--json', '--yes'], { nameOf: () => 'h1' });
    expect([exit, json.error?.code, phases]).toEqual([4, 'E_HOST_TWO_NAMES', []]);
    expect((await store().read()).hosts).toEqual(before.hosts);
  });
});

describe('the SSH host key in the record', () => {
  const shown = `${ANSWERING_KEY.type} ${ANSWERING_KEY.base64}`;
  const hostKey = async () => (await host()).record.ssh.hostKey;

  beforeEach(async () => {
    const known = [(await client('laptop')).cert, (await client('eve')).cert];
    accepted = (cert) => known.includes(cert);
  });

  test('without a flag: the key that known_hosts accepted is recorded; strict holds for its run alone', async () => {
    const { exit, err } = await run(['apply', 'h1', '--yes']);
    expect([exit, await hostKey()], err).toEqual([0, shown]);
    await run(['apply', 'h1', '--host-key', 'strict', '--yes']);
    expect(await hostKey()).toBe(shown);
  });

  test('another key is accepted by its fingerprint alone; plan and outcome say which it was, which it is, and who accepts it', async () => {
    await run(['apply', 'h1', '--yes']);
    const other = { ...ANSWERING_KEY, base64: 'B'.repeat(68), fingerprint: `SHA256:${'b'.repeat(43)}` };
    const asked: (string | undefined)[] = [];
    const answer = answeringHosts({ home, now });
    const setting: CliSetting = {
      operator: 'ada@laptop',
      connect: async (options) => {
        asked.push(options.hostKey);
        return { ...(await answer(options)), hostKey: other };
      },
    };
    const words = expect.toSay('ssh-host-key-accepted', 'ssh-ed25519', 'SHA256', 'ada@laptop');
    const named = ['apply', 'h1', '--host-key', other.fingerprint];
    const planned = await run([...named, '--dry-run'], {}, setting);
    expect([planned.out.replaceAll(/\s+/g, ' '), await hostKey()]).toEqual([words, shown]);
    const applied = await run([...named, '--yes'], {}, setting);
    expect([applied.exit, await hostKey()]).toEqual([0, `${other.type} ${other.base64}`]);
    // Neither accept-new nor nothing reaches the connection in place of the record.
    asked.length = 0;
    for (const more of [[], ['--host-key', 'accept-new']]) await run(['apply', 'h1', ...more, '--yes'], {}, setting);
    expect(new Set(asked)).toEqual(new Set([`${other.type} ${other.base64}`]));
  });

  test('by a flag: the record has the key, and never the policy', async () => {
    const { exit, err } = await run(['setup', 'h1', '--host-key', 'accept-new', '--yes']);
    expect([exit, await hostKey()], err).toEqual([0, shown]);
  });

  test('a record that names the policy all the same is read as strict: who shares it takes no key unseen', async () => {
    const { record, ...known } = await host();
    const noted = { ...record, ssh: { ...record.ssh, hostKey: 'accept-new' } };
    const one = store();
    await one.withLock('test', () => one.write({ hosts: { h1: { ...known, record: noted } } }));
    expect(await hostKey()).toBe('strict');
  });
});
