/** Changes of what a host trusts, on real hosts: no client loses access without having been named. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CertificateFactory, type Issued } from '../support/certificate-factory.ts';
import { buildProgram, type Program, type ProgramRun } from '../support/cli.ts';
import { type LabHost, labClient, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';

let program: Program;
let docker: string;
let hosts: LabHost[] = [];
const people: Person[] = [];
const factory = new CertificateFactory();

beforeAll(async () => {
  program = buildProgram();
  docker = await labClient();
  hosts = await labUp({ names: ['ca-1', 'ca-2', 'ca-3'] });
});
afterAll(async () => {
  for (const host of hosts) await host.down();
  for (const person of people) person.remove();
  program?.remove();
  factory.remove();
});

function someone(): Person {
  const person = newPerson(program, hosts);
  people.push(person);
  return person;
}

function done(run: ProgramRun): ProgramRun {
  if (run.status !== 0) throw new Error(`exit ${run.status}\n${run.out}\n${run.err}`);
  return run;
}

test('files in the Docker config directory itself go through a whole rotation of the CA', async () => {
  const [host] = hosts as [LabHost];
  const person = someone();
  done(await person.run(person.setup(host, ['--config-directory'])));
  const version = () =>
    person.call(docker, ['version', '--format', '{{.Server.Version}}'], {
      DOCKER_HOST: `tcp://${host.address}:2376`,
      DOCKER_TLS_VERIFY: '1',
    });
  done(await version());
  done(await person.run(['rotate', 'ca', '--no-ca-passphrase', '--yes']));
  done(await version());
  done(await person.run(['rotate', 'ca', '--drop', '--yes']));
  done(await version());
  done(await person.run(['remove', host.name, '--yes']));
});

/** What docker says as a client that has a certificate and knows a CA. */
async function version(host: LabHost, client: Issued, ca: string): Promise<ProgramRun> {
  const person = someone();
  writeFileSync(join(person.home, 'ca.pem'), ca);
  writeFileSync(join(person.home, 'cert.pem'), client.cert);
  writeFileSync(join(person.home, 'key.pem'), client.key);
  return person.call(docker, ['version', '--format', '{{.Server.Version}}'], {
    DOCKER_HOST: `tcp://${host.address}:2376`,
    DOCKER_TLS_VERIFY: '1',
    DOCKER_CERT_PATH: person.home,
  });
}

/** Docker's own recipe: CA, server certificate and key on the host; settings say where. */
async function recipe(host: LabHost, ca: Issued, settings: (at: string) => string): Promise<void> {
  const server = factory.issue('server', { by: ca, usage: 'serverAuth', san: `IP:${host.address}` });
  for (const [name, text] of Object.entries({ ca: ca.cert, cert: server.cert, key: server.key }))
    await host.exec(`mkdir -p /etc/docker/old && umask 077 && cat >/etc/docker/old/${name}.pem`, { input: text });
  await host.must('mkdir -p /etc/systemd/system/docker.service.d');
  await host.exec('sh', { input: settings('/etc/docker/old') });
  await host.must('systemctl daemon-reload && systemctl restart docker');
}

const OVERRIDE = (at: string) => `cat >/etc/systemd/system/docker.service.d/override.conf <<END
[Service]
ExecStart=
ExecStart=/usr/sbin/dockerd -H fd:// -H tcp://0.0.0.0:2376 --tlsverify --tlscacert=${at}/ca.pem --tlscert=${at}/cert.pem --tlskey=${at}/key.pem
END
`;
const JSON_FILE = (at: string) => `cat >/etc/docker/daemon.json <<END
{ "hosts": ["tcp://0.0.0.0:2376", "unix:///var/run/docker.sock"], "tlsverify": true, "tlscacert": "${at}/ca.pem", "tlscert": "${at}/cert.pem", "tlskey": "${at}/key.pem" }
END
cat >/etc/systemd/system/docker.service.d/override.conf <<END
[Service]
ExecStart=
ExecStart=/usr/sbin/dockerd
END
`;

test.each([
  ['an override', 1, OVERRIDE],
  ['daemon.json', 2, JSON_FILE],
])('a daemon that has clients by %s: they are named, and stay or go as was said', async (_, index, settings) => {
  const host = hosts[index] as LabHost;
  const ca = factory.issue('Old recipe', { ca: true });
  const ada = factory.issue('ada', { by: ca, usage: 'clientAuth' });
  await recipe(host, ca, settings);
  done(await version(host, ada, ca.cert));
  const before = await host.must('systemctl show -p MainPID docker; ls -l /etc/docker');

  const person = someone();
  for (const more of [['--dry-run'], []]) {
    const refused = await person.run(person.setup(host, [...more, '--json']));
    expect([refused.status, JSON.parse(refused.out).error.code]).toEqual([4, 'E_OTHER_CLIENTS']);
    expect(JSON.parse(refused.out).error.message).toContain('clients of the CA "Old recipe"');
  }
  expect(await host.must('systemctl show -p MainPID docker; ls -l /etc/docker')).toBe(before);
  done(await version(host, ada, ca.cert));

  const dry = await person.run(person.setup(host, ['--dry-run', '--reject-other-clients']));
  expect(done(dry).out.replace(/\s+/g, ' ')).toSay('every-client-ca', '"Old recipe"');
  const kept = done(await person.run(person.setup(host, ['--accept-ca', 'existing'])));
  // The old clients are in no list, so their CA is named wherever it is said who gets in.
  const named = expect.toSay('every-client-until', '"Old recipe"', /(?<=\(until )\d{4}-\d\d-\d\d/.exec(kept.out)?.[0]);
  expect(kept.out).toEqual(named);
  for (const argv of [['plan', host.name], ['verify', host.name], ['status'], ['client', 'list']])
    expect(done(await person.run(argv)).out.replace(/\s+/g, ' '), argv.join(' ')).toEqual(named);
  for (const format of ['table', 'json', 'sarif', 'junit'])
    expect((await person.run(['audit', host.name, '--format', format])).out.replace(/\s+/g, ' ')).toSay(
      'recipe-ca-not-store',
      'CN=Old',
    );
  const ours = readFileSync(join(person.store, 'ca/ca.pem'), 'utf8');
  done(await version(host, ada, ours));
  done(await person.run(['plan', host.name, '--check']));
  done(await person.run(['verify', host.name]));
  // A client of ours is revoked all the same: only the list changes, and the old CA stands beside it.
  done(await person.run(['client', 'add', 'eve', '--yes']));
  done(await person.run(['client', 'revoke', 'eve', '--yes']));
  done(await version(host, ada, ours));

  done(await person.run(['setup', host.name, '--accept-ca', 'none', '--yes']));
  expect((await version(host, ada, ours)).status).not.toBe(0);
  // What was accepted belongs to the generation: it comes back, and stays for the runs that follow.
  done(await person.run(['rollback', host.name, '--allow-revoked', '--yes']));
  done(await version(host, ada, ours));
  done(await person.run(['plan', host.name, '--check']));
  done(await person.run(['remove', host.name, '--yes']));
  done(await version(host, ada, ca.cert));
});

test('an imported CA: clients that it issued in another store lose access by a list of clients, and only with its own yes', async () => {
  const [host] = hosts as [LabHost];
  const ca = factory.issue('Company', { ca: true });
  const ada = factory.issue('ada', { by: ca, usage: 'clientAuth' });
  const person = someone();
  done(await person.run(['ca', 'import', '--cert', ca.certFile, '--key', ca.keyFile, '--no-ca-passphrase']));
  done(await person.run(person.setup(host)));
  done(await person.run(['client', 'add', 'eve', '--yes']));
  done(await version(host, ada, ca.cert));
  const refused = await person.run(['client', 'revoke', 'eve', '--yes', '--json']);
  expect([refused.status, JSON.parse(refused.out).error.code]).toEqual([4, 'E_OTHER_CLIENTS']);
  done(await version(host, ada, ca.cert));
  done(await person.run(['client', 'revoke', 'eve', '--yes', '--reject-other-clients']));
  expect((await version(host, ada, ca.cert)).status).not.toBe(0);
  // Once it lists its clients, no other client is left to lose.
  done(await person.run(['client', 'add', 'ci', '--hosts', host.name, '--yes']));
  done(await person.run(['remove', host.name, '--yes']));
});
