import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../src/core/adapters/store/store.ts';
import { inspectCertificate, splitBundle } from '../../src/core/domain/pki/inspect.ts';
import { openAuthority } from '../../src/core/domain/pki/open-authority.ts';
import type { Secret } from '../../src/core/domain/secret.ts';
import { runCli } from '../support/cli.ts';
import { forbidden, tryAll, unchained, unlisted } from '../support/forbidden.ts';
import { type LabHost, labClient, labUp } from '../support/lab.ts';
import { newHome, removeHomes } from '../support/store.ts';

/** A real host, the computer with the CA, and a colleague's that has neither CA nor SSH. */
let host: LabHost;
let second: LabHost;
let docker: string;
const home = newHome();
const there = newHome();
const at = (place: string, ...argv: string[]) =>
  runCli([...argv, '--home', place, '--json'], {
    cwd: dirname(home),
    env: { HOME: dirname(place), DOCKER_CONFIG: join(dirname(place), 'docker') },
  });

beforeAll(async () => {
  docker = await labClient();
  [host, second] = (await labUp({ names: ['cl-web', 'cl-web2'] })) as [LabHost, LabHost];
  for (const [name, { address, keyFile }] of Object.entries({ web: host, 'web-2': second })) {
    const reach = ['-i', keyFile, '--host-key', 'accept-new'];
    const more = ['--no-ca-passphrase', '--client', 'laptop', '--yes'];
    const setup = await at(home, 'setup', `root@${address}`, '--name', name, ...reach, ...more);
    expect(setup.json.error).toBeUndefined();
  }
});
afterAll(async () => {
  await host?.down();
  await second?.down();
  removeHomes();
});

test("a colleague's key stays on their computer, and the docker command gets in with it", async () => {
  await at(there, 'client', 'request', 'ann', '--out', join(dirname(home), 'ann.csr'));
  await at(home, 'client', 'sign', 'ann.csr', '--out', 'ann.tar');
  const imported = await at(there, 'client', 'import', join(dirname(home), 'ann.tar'), '--use');
  expect(imported.json.result).toMatchObject({ client: 'ann', hosts: ['web', 'web-2'], contexts: ['web', 'web-2'] });
  const env = { PATH: process.env.PATH, HOME: dirname(there), DOCKER_CONFIG: join(dirname(there), 'docker') };
  const version = spawnSync(docker, ['version', '--format', '{{.Server.Version}}'], { env, encoding: 'utf8' });
  expect([version.status, version.stdout]).toEqual([0, expect.stringMatching(/^\d+\./)]);
  expect((await at(there, 'verify', 'web')).exit).toBe(0);
  expect((await at(there, 'doctor', 'web')).json.result.cause).toBe('none');
});

test('credentials that are signed for one host open no other, from the moment they are written', async () => {
  const place = newHome();
  await at(place, 'client', 'request', 'bea', '--out', join(dirname(home), 'bea.csr'));
  const signed = await at(
    home,
    'client',
    'sign',
    'bea.csr',
    '--hosts',
    'web',
    '--days',
    '30',
    '--out',
    'bea.tar',
    '--yes',
  );
  expect(signed.json.result).toMatchObject({ client: 'bea', hosts: ['web'], changed: ['web-2'] });
  await at(place, 'client', 'import', join(dirname(home), 'bea.tar'), '--no-context');
  const env = { PATH: process.env.PATH, HOME: dirname(place), DOCKER_TLS_VERIFY: '1' };
  const version = ({ address }: LabHost) =>
    spawnSync(docker, ['-H', `tcp://${address}:2376`, 'version'], {
      env: { ...env, DOCKER_CERT_PATH: join(place, 'clients/bea') },
      encoding: 'utf8',
    });
  expect(version(host).status).toBe(0);
  expect(version(second)).toMatchObject({ status: 1, stderr: expect.stringContaining('certificate') });
  expect((await at(home, 'verify')).exit).toBe(0);
});

test('who types only what request, sign and import print gets in, also where hosts list their clients', async () => {
  const place = newHome();
  const typed = async (home: string, line: string, ...more: string[]) => {
    const words = line.replace(/^.*docker-tls (?:--home \S+ )?/, '').split(' ');
    const { exit, out, err } = await runCli([...words, '--home', home, ...more], {
      cwd: dirname(place),
      env: { HOME: dirname(home), DOCKER_CONFIG: join(dirname(home), 'docker') },
    });
    expect([exit, err]).toEqual([0, expect.not.stringContaining('error')]);
    return out.split('\n').filter((one) => one.includes('docker-tls '));
  };
  const [sign = ''] = await typed(place, 'docker-tls client request cid --out cid.csr');
  const [apply = '', bring = ''] = await typed(home, sign);
  expect([apply, bring]).toEqual([expect.toSay('first-apply', 'web'), expect.stringMatching(/import/)]);
  await typed(home, apply, '--yes');
  const [verify = ''] = await typed(place, bring);
  await typed(place, verify);
  const env = { PATH: process.env.PATH, HOME: dirname(place), DOCKER_CONFIG: join(dirname(place), 'docker') };
  for (const name of ['web', 'web-2'])
    expect(spawnSync(docker, ['--context', name, 'version'], { env, encoding: 'utf8' })).toMatchObject({ status: 0 });
});

test('dockerd accepts no forbidden certificate, where it trusts the CA and where it lists its clients', async () => {
  const { ca: stored, issuers, clients, hosts } = await openStore(home).read();
  const open = ({ cert, keyPem }: { cert: string; keyPem?: Secret } = { cert: '' }) =>
    openAuthority({ cert: splitBundle(cert)[0] ?? '', key: keyPem as Secret });
  const ca = open(stored);
  const client = open(issuers.get('laptop'));
  const credentials = ({ cert, key }: { cert: string; key?: Secret } = { cert: '' }) => ({ cert, key: key as Secret });
  const accepted = credentials(clients.get('laptop'));
  const servers = Object.fromEntries(
    [...hosts.values()].map(({ record, serverCert, serverKey }) => [
      `the certificate of ${record.name}`,
      credentials({ cert: serverCert, ...(serverKey && { key: serverKey }) }),
    ]),
  );
  const everywhere = await forbidden({ ca, client, accepted, name: 'laptop', servers });
  const whole = { ...everywhere, ...(await unchained({ ca, client })) };
  const listed = { ...everywhere, ...(await unlisted({ ca, client })) };
  let tried = 0;
  for (const [{ address }, table] of [
    [host, whole],
    [second, listed],
  ] as const) {
    const found = await tryAll({ host: address, port: 2376, ca: ca.cert }, accepted, table);
    expect(found.gotIn).toEqual([]);
    tried += found.tried;
  }
  expect(tried).toBeGreaterThan(150);
});

test('the lifetime and the kind of key of a client are not those of the hosts that hear of it', async () => {
  const ofHosts = async () =>
    [...(await openStore(home).read()).hosts.values()].map(({ record: { keyType, days }, serverCert }) => ({
      keyType,
      days,
      valid: Math.round(Number(inspectCertificate(serverCert).notAfter) - Date.now()) / 86_400_000 > 300,
    }));
  const as = { keyType: 'p256', days: 397, valid: true };
  expect(await ofHosts()).toEqual([as, as]);
  const added = await at(
    home,
    'client',
    'add',
    'ci',
    '--hosts',
    'web-2',
    '--days',
    '30',
    '--key-type',
    'p384',
    '--yes',
  );
  expect(added.json.result).toMatchObject({ clients: [{ client: 'ci', created: true }], hosts: [{}, {}] });
  expect(await ofHosts()).toEqual([as, as]);
  const { clients } = await openStore(home).read();
  expect(clients.get('ci')?.record).toMatchObject({ days: 30, keyType: 'p384' });
});

test('doctor tells a firewall from a stopped daemon', async () => {
  await host.must('iptables -I INPUT -p tcp --dport 2376 -j DROP');
  const dropped = await at(home, 'doctor', 'web', '--timeout', '2s');
  expect([dropped.exit, dropped.json.result.cause]).toEqual([7, 'timed-out']);
  await host.must('iptables -D INPUT -p tcp --dport 2376 -j DROP');
  await host.must('systemctl stop docker.socket docker-tls.socket docker');
  const stopped = await at(home, 'doctor', 'web');
  expect([stopped.exit, stopped.json.result.cause]).toEqual([7, 'connection-refused']);
  expect(stopped.json.result.journal.length).toBeGreaterThan(0);
  await host.must('systemctl start docker.socket docker-tls.socket docker');
});
