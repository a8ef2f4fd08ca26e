/** The main job, unattended, on real hosts of three generations: afterwards the right client is accepted, and no other. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CertificateFactory } from '../support/certificate-factory.ts';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, type LabUser, labClient, labPassword, labUp, type Suite, suites } from '../support/lab.ts';
import { newPerson, type Person, snapshotHost } from '../support/person.ts';

let program: Program;
let docker: string;

beforeAll(async () => {
  program = buildProgram();
  docker = await labClient();
});
afterAll(() => program?.remove());

const format = ['version', '--format', '{{.Server.Version}}'];

describe.each(suites)('as root, on %s', (suite) => {
  let host: LabHost;
  let person: Person;
  let local: string;

  beforeAll(async () => {
    [host] = (await labUp({ names: [`setup-${suite}`], suite })) as [LabHost];
    person = newPerson(program, [host]);
    local = await host.must('docker version --format "{{.Server.Version}}"');
  });
  afterAll(async () => {
    await host?.down();
    person?.remove();
  });

  test('setup with --json: one document, every client connected, six checks', async () => {
    const { status, out, err } = await person.run(person.setup(host, ['--json', '--config-directory']));
    expect({ status, err }).toMatchObject({ status: 0 });
    const document = JSON.parse(out);
    expect(document).toMatchObject({
      schema: 1,
      command: 'setup',
      ok: true,
      result: { host: host.name, changed: true, daemon: 'restart', client: 'laptop', context: host.name },
    });
    expect(document.result.endpoint).toBe(`tcp://${host.address}:2376`);
    expect(
      document.result.checks.map((check: { who: string; expected: string; ok: boolean }) => [
        check.who,
        check.expected,
        check.ok,
      ]),
    ).toEqual([
      ['client laptop', 'accepted', true],
      ['no certificate', 'rejected', true],
      ['no certificate, TLS 1.2', 'rejected', true],
      [expect.toSay('certificate-untrusted-ca'), 'rejected', true],
      [expect.toSay('server-certificate'), 'rejected', true],
      ['plain HTTP', 'rejected', true],
      ['TLS 1.1', 'rejected', true],
    ]);
    expect(out + err).not.toMatch(/PRIVATE KEY/);
  });

  test('the docker CLI gets in by environment, by context, and by the config directory', async () => {
    const bin = program.command.join(' ');
    const byEnvironment = await person.call('sh', ['-c', `eval "$(${bin} env)" && ${docker} ${format.join(' ')}`]);
    expect(byEnvironment).toMatchObject({ status: 0, out: `${local}\n` });
    expect(await person.call(docker, ['--context', host.name, ...format])).toMatchObject({
      status: 0,
      out: `${local}\n`,
    });
    const byDirectory = await person.call(docker, format, {
      DOCKER_TLS_VERIFY: '1',
      DOCKER_HOST: `tcp://${host.address}:2376`,
    });
    expect(byDirectory).toMatchObject({ status: 0, out: `${local}\n` });
    // Not only a question: a real piece of work.
    await host.must('docker image inspect busybox >/dev/null 2>&1 || docker import /root/busybox.tar busybox');
    const ran = await person.call(docker, ['--context', host.name, 'run', '--rm', 'busybox', 'echo', 'hello']);
    expect(ran).toMatchObject({ status: 0, out: 'hello\n' });
  });

  test('untrusted clients are refused', async () => {
    const clients = join(person.store, 'clients/laptop');
    const at = ['-H', `tcp://${host.address}:2376`];
    const plain = await person.call(docker, [...at, ...format], { DOCKER_CONFIG: '/nonexistent' });
    expect(plain.status).not.toBe(0);
    const nameless = await person.call(docker, [...at, '--tlsverify', '--tlscacert', `${clients}/ca.pem`, ...format], {
      DOCKER_CONFIG: '/nonexistent',
    });
    expect(nameless.status).not.toBe(0);
    expect(nameless.err).toMatch(/certificate required|bad certificate/);

    const factory = new CertificateFactory();
    const theirs = factory.issue('laptop', { by: factory.issue('another CA', { ca: true }), usage: 'clientAuth' });
    const words = ['--cacert', `${clients}/ca.pem`, '--cert', theirs.certFile, '--key', theirs.keyFile];
    const other = await person.call('curl', ['-sS', ...words, `https://${host.address}:2376/version`]);
    factory.remove();
    expect(other.status).not.toBe(0);
    expect(other.out).toBe('');
    const own = ['--cacert', `${clients}/ca.pem`, '--cert', `${clients}/cert.pem`, '--key', `${clients}/key.pem`];
    expect(await person.call('curl', ['-sS', ...own, `https://${host.address}:2376/_ping`])).toMatchObject({
      out: 'OK',
    });
  });

  test('on the host, docker ps works as before', async () => {
    expect(await host.must('docker ps --format "{{.Names}}"; docker version --format "{{.Server.Version}}"')).toBe(
      local,
    );
    expect(await host.must('systemctl is-active docker.service docker.socket docker-tls.socket')).toBe(
      'active\nactive\nactive',
    );
  });

  test('a second run changes nothing and says so, with and without --json', async () => {
    const before = { host: await snapshotHost(host), home: person.snapshot() };
    const said = await person.run(person.setup(host));
    expect(said).toMatchObject({ status: 0 });
    expect(said.out).toContain('nothing to do');
    const { out, status } = await person.run(person.setup(host, ['--json']));
    expect(status).toBe(0);
    expect(JSON.parse(out).result).toMatchObject({ changed: false, daemon: 'none', files: [] });
    expect({ host: await snapshotHost(host), home: person.snapshot() }).toEqual(before);
  });
});

type Visitor = { readonly user: LabUser; readonly suite: Suite };
const visitors: readonly Visitor[] = [
  ...suites.map((suite) => ({ user: 'pat' as const, suite })),
  { user: 'ops', suite: 'trixie' },
  { user: 'noisy', suite: 'bookworm' },
  { user: 'fishy', suite: 'sid' },
];

describe.each(visitors)('as $user, on $suite', ({ user, suite }) => {
  let host: LabHost;
  let person: Person;

  beforeAll(async () => {
    [host] = (await labUp({ names: [`setup-${user}-${suite}`], suite })) as [LabHost];
    person = newPerson(program, [host]);
  });
  afterAll(async () => {
    await host?.down();
    person?.remove();
  });

  test('setup works, with sudo, and what the shell prints does not matter', async () => {
    const file = join(person.home, 'sudo-password');
    writeFileSync(file, `${labPassword}\n`, { mode: 0o600 });
    const password = user === 'pat' ? ['--sudo-password-file', file] : [];
    const run = await person.run(person.setup(host, [...password, '--context', host.name], user));
    expect({ status: run.status, err: run.err }).toMatchObject({ status: 0 });
    expect(run.out + run.err).not.toContain('\u001b');
    expect(run.out + run.err).not.toContain(labPassword);
    const seen = await person.call(docker, ['--context', host.name, ...format]);
    expect(seen).toMatchObject({
      status: 0,
      out: `${await host.must('docker version --format "{{.Server.Version}}"')}\n`,
    });
    expect(await host.must('stat -c %U:%G /etc/docker/tls /etc/docker/tls/current/server-key.pem')).toBe(
      'root:root\nroot:root',
    );
    expect(readFileSync(join(person.store, 'hosts', host.name, 'host.json'), 'utf8')).not.toContain(labPassword);
  });
});
