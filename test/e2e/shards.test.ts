/** Runners that share a store and split real hosts between them: what a CA was asked to sign is counted, and so are the records. */

import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { storeSettings } from '../../src/core/domain/store-settings.ts';
import { teamStore } from '../../src/features/team/store/team-store.ts';
import { type EtcdServers, startEtcd } from '../features/team/support/etcd.ts';
import { enrol, type Member, type Members, membersOf, newTeam } from '../features/team/support/team.ts';
import { CertificateFactory } from '../support/certificate-factory.ts';
import { buildProgram, type Program, type ProgramRun } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { writeSignScript } from '../support/sign-script.ts';
import { removeHomes } from '../support/store.ts';

const NAMES = ['shard-a', 'shard-b', 'shard-c', 'shard-d'];
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-shards-'));
const signed = join(directory, 'signed');
const factory = new CertificateFactory();
let program: Program;
let etcd: EtcdServers;
let hosts: LabHost[];
/** How the fleet's CA signs: the runners are told to accept it. */
const command = `${join(directory, 'sign')} {profile} {days} {name}`;

let team: Members;
let runners: Member[];

beforeAll(async () => {
  program = buildProgram();
  [etcd, hosts] = await Promise.all([startEtcd({ members: 3 }), labUp({ names: NAMES })]);
}, 400_000);

/** A new store, a new fleet file, and a CA that signs slowly: who asked at the same time would be counted. */
async function prepare(engine: 'etcd' | 'git'): Promise<void> {
  rmSync(signed, { force: true });
  team = engine === 'git' ? newTeam() : membersOf(`etcd://${etcd.endpoints}/fleet?tls=off`);
  runners = NAMES.map((_, index) => team.member(`runner-${index}`));
  await enrol(...(runners as [Member, ...Member[]]));
  const entries = hosts.map(({ name, address, keyFile, knownHostsFile }) => {
    const fingerprints = execFileSync('ssh-keygen', ['-lf', knownHostsFile], { encoding: 'utf8' });
    const hostKey = /SHA256:\S+(?=.*ED25519)/.exec(fingerprints)?.[0];
    return `  ${name}: { ssh: { destination: root@${address}, identities: [${keyFile}], host-key: "${hostKey}" } }`;
  });
  writeFileSync(
    join(directory, 'fleet.yaml'),
    ['version: 1', 'hosts:', ...entries, 'clients: { ops: }', ''].join('\n'),
  );
}
afterAll(async () => {
  await Promise.all((hosts ?? []).map((host) => host.down()));
  await etcd?.stop();
  program?.remove();
  factory.remove();
  removeHomes();
  rmSync(directory, { recursive: true, force: true });
});

async function as({ env, home }: Member, ...argv: string[]): Promise<ProgramRun> {
  const { HOME } = env;
  const options = { env: { HOME, PATH: process.env.PATH }, cwd: directory };
  const trusted = ['--trust-store-settings', storeSettings({ external: { kind: 'command', command } })?.id ?? ''];
  return program.run([...argv, '--store', team.url, '--home', home, ...trusted], options);
}
const ada = () => runners[0] as Member;

/** What the CA was asked for, a word each: `server shard-a`. */
const asked = () => (existsSync(signed) ? readFileSync(signed, 'utf8').trim().split('\n').sort() : []);

const serialOf = (pem: string) => new X509Certificate(pem).serialNumber;

async function serials(): Promise<string[]> {
  return Promise.all(
    hosts.map(async (host) => serialOf(await host.must('cat /etc/docker/tls/current/server-cert.pem'))),
  );
}

/** Every host is in the store, and serves what it says. */
async function requireRecorded(): Promise<void> {
  const state = await teamStore(ada().session()).read();
  expect([...state.hosts.keys()].sort()).toEqual(NAMES);
  const recorded = NAMES.map((name) => serialOf(state.hosts.get(name)?.serverCert ?? ''));
  expect(recorded).toEqual(await serials());
}

describe.each(['etcd', 'git'] as const)('a store in %s', (engine) => {
  beforeAll(() => prepare(engine), 400_000);

  test('four runners, a quarter of the fleet each: one certificate for each host, and every record', async () => {
    const ca = factory.issue('fleet CA', { ca: true, to: 4000 });
    const script = join(directory, 'sign');
    writeSignScript(`${script}-ca`, ca);
    writeFileSync(script, `#!/bin/sh\necho "$1 $3" >>${signed}\nsleep 1\nexec ${script}-ca "$1" "$2"\n`, {
      mode: 0o755,
    });
    const given = ['--cert', ca.certFile, '--sign-command', command, '--no-ca-passphrase'];
    for (const argv of [
      ['ca', 'import', ...given],
      ['client', 'add', 'ops', '--yes'],
    ]) {
      const done = await as(ada(), ...argv);
      expect(done.status, done.err).toBe(0);
    }
    const before = asked();
    const runs = await Promise.all(
      runners.map((one, index) =>
        as(
          one,
          'apply',
          '-f',
          'fleet.yaml',
          '--shard',
          `${index + 1}/4`,
          '--take-over',
          '--reject-other-clients',
          '--yes',
        ),
      ),
    );
    for (const { status, err } of runs) expect(status, err).toBe(0);
    expect(asked()).toEqual([...before, ...NAMES.map((name) => `server ${name}`)].sort());
    expect(new Set(await serials()).size).toBe(4);
    await requireRecorded();
  });

  test('shards that overlap: the CA is asked once for a host, who comes second changes nothing there, and no record is lost', async () => {
    const before = [asked(), await serials()] as const;
    const text = readFileSync(join(directory, 'fleet.yaml'), 'utf8');
    writeFileSync(
      join(directory, 'fleet.yaml'),
      text.replace('hosts:', 'defaults: { sans: [docker.example.org] }\nhosts:'),
    );
    const runs = await Promise.all(
      runners.map((one, index) =>
        as(one, 'apply', '-f', 'fleet.yaml', '--shard', `${(index % 2) + 1}/2`, '--yes', '--json'),
      ),
    );
    for (const { status, out } of runs)
      if (status !== 0) expect(out).toMatch(/E_HOST_LOCKED|E_STORE_CHANGED|E_HOST_CHANGED/);
    expect(asked()).toEqual([...before[0], ...NAMES.map((name) => `server ${name}`)].sort());
    expect((await serials()).filter((serial) => before[1].includes(serial))).toEqual([]);
    await requireRecorded();
  });
});
