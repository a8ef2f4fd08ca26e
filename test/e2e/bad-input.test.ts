/** What goes wrong before a change: each case has its own error code, exit status and hint, and leaves host and store as they were. */

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildProgram, type Program, type ProgramRun } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { newPerson, type Person, snapshotHost } from '../support/person.ts';
import { KEYS } from '../support/terminal.ts';

let program: Program;
let host: LabHost;
let person: Person;
let before: { home: string; host: string };

beforeAll(async () => {
  program = buildProgram();
  [host] = (await labUp({ names: ['badinput-1'] })) as [LabHost];
});
afterAll(async () => {
  await host?.down();
  program?.remove();
});
beforeEach(() => {
  person = newPerson(program, [host]);
});
afterEach(() => person.remove());

async function remember(): Promise<void> {
  before = { home: person.snapshot(), host: await snapshotHost(host) };
}

/** The run failed with this code and status, said what to do, and changed nothing. */
async function expectRefused(run: ProgramRun, code: string, exit: number): Promise<void> {
  expect({ status: run.status, err: run.err }).toMatchObject({ status: exit });
  expect(run.err).toContain(`error[${code}]`);
  expect(run.err).toContain('hint:');
  expect({ home: person.snapshot(), host: await snapshotHost(host) }).toEqual(before);
}

/** The words of setup with another destination. */
function towards(destination: string, more: readonly string[] = []): string[] {
  const [command = '', , ...rest] = person.setup(host, more);
  return [command, destination, ...rest];
}

test('a host that does not answer', async () => {
  await remember();
  await expectRefused(await person.run(towards('root@10.213.255.254')), 'E_SSH_UNREACHABLE', 4);
});

test('a name that is no name', async () => {
  await remember();
  await expectRefused(await person.run(towards('root@-oProxyCommand=true')), 'E_HOST_NAME', 2);
  await expectRefused(await person.run(person.setup(host, ['--address', 'not a name!'])), 'E_NAME', 2);
});

test('a key that the host does not know', async () => {
  const key = join(person.home, 'other');
  await person.call('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  await remember();
  const words = person.setup(host).map((word) => (word === host.keyFile ? key : word));
  await expectRefused(await person.run(words), 'E_SSH_AUTH', 4);
});

test('a wrong password for sudo', async () => {
  const file = join(person.home, 'password');
  writeFileSync(file, 'battery staple\n', { mode: 0o600 });
  await remember();
  const run = await person.run(person.setup(host, ['--sudo-password-file', file], 'pat'));
  await expectRefused(run, 'E_SUDO_REFUSED', 4);
  expect(run.err).not.toContain('battery staple');
});

test('an unknown host key, and one that has changed', async () => {
  const file = join(person.home, '.ssh/known_hosts');
  const good = readFileSync(file, 'utf8');
  writeFileSync(file, '');
  await remember();
  await expectRefused(await person.run(person.setup(host)), 'E_SSH_HOST_KEY_UNKNOWN', 4);
  const other = join(person.home, 'other');
  await person.call('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', other]);
  writeFileSync(file, `${host.address} ${readFileSync(`${other}.pub`, 'utf8')}`);
  await remember();
  for (const more of [[], ['--host-key', 'accept-new']])
    await expectRefused(await person.run(person.setup(host, more)), 'E_SSH_HOST_KEY_CHANGED', 4);
  expect(good).not.toBe('');
});

test('no terminal and no --yes', async () => {
  await remember();
  const words = person.setup(host).filter((word) => word !== '--yes');
  const run = await person.run(words);
  await expectRefused(run, 'E_NO_TERMINAL', 2);
  expect(run.err).toContain('--yes');
});

test('with --json the failure is the one document', async () => {
  const run = await person.run(towards('root@10.213.255.254', ['--json']));
  expect(run.status).toBe(4);
  expect(JSON.parse(run.out)).toMatchObject({ schema: 1, ok: false, error: { code: 'E_SSH_UNREACHABLE' } });
});

test('what stands against the docker context is said before the host changes', async () => {
  mkdirSync(join(person.home, '.docker'));
  writeFileSync(join(person.home, '.docker/key.pem'), 'mine');
  writeFileSync(join(person.home, '.docker/config.json'), '{"auths":');
  await remember();
  const directory = await person.run(person.setup(host, ['--config-directory']));
  await expectRefused(directory, 'E_CLIENT_FILES_EXIST', 2);
  expect(directory.err).toContain(`docker-tls context ${host.name} --config-directory --replace`);
  await expectRefused(await person.run(person.setup(host, ['--use'])), 'E_DOCKER_CONFIG', 2);
  expect(readFileSync(join(person.home, '.docker/config.json'), 'utf8')).toBe('{"auths":');
});

test('an address that does not resolve, leads nowhere or is filtered on the way is refused before anything changes', async () => {
  await remember();
  const at = (address: string) => person.run(person.setup(host, ['--address', address]));
  await expectRefused(await at('no-such-host.invalid'), 'E_ADDRESS', 4);
  await expectRefused(await at('10.213.255.254'), 'E_PORT_FILTERED', 4);
  // Before the chains that setup looks at, as a cloud's security group is.
  await host.must('iptables -t raw -A PREROUTING -p tcp --dport 2376 -j DROP');
  try {
    await expectRefused(await at(host.address), 'E_PORT_FILTERED', 4);
    const terminal = person.terminal([
      'setup',
      `root@${host.address}`,
      '-i',
      host.keyFile,
      '--name',
      'w',
      '--ssh-config',
      join(person.home, '.ssh/config'),
    ]);
    await terminal.see('does not answer this computer: a firewall drops the');
    // ssh to the host itself does not lead to the port either, so that way cannot be chosen.
    await terminal.see('through ssh to');
    await terminal.answer('How do clients reach it?', KEYS.enter);
    await terminal.answer('Address:', KEYS.enter);
    await terminal.see(/Address:[\s\S]*does not answer this computer/);
    terminal.type(KEYS.ctrlC);
    expect(await terminal.ended).toBe(130);
    expect(await snapshotHost(host)).toBe(before.host);
  } finally {
    await host.must('iptables -t raw -D PREROUTING -p tcp --dport 2376 -j DROP');
  }
});

test("an address that is another machine's: taken back", async () => {
  before = { home: person.snapshot(), host: await snapshotHost(host, { daemon: false }) };
  const run = await person.run(person.setup(host, ['--address', '10.213.0.1']));
  expect({ status: run.status, err: run.err }).toMatchObject({ status: 7 });
  expect(run.err).toContain('error[E_VERIFY]');
  // The store does not know the host, so doctor could say nothing.
  expect(run.err).toContain('--address NAME');
  expect(run.err).not.toContain('doctor');
  expect({ home: person.snapshot(), host: await snapshotHost(host, { daemon: false }) }).toEqual(before);
});

test('a host that another store looks after changes hands only when that is said', async () => {
  const other = newPerson(program, [host]);
  try {
    expect(await other.run(other.setup(host))).toMatchObject({ status: 0 });
    await remember();
    await expectRefused(await person.run(person.setup(host)), 'E_HOST_MANAGED', 4);
    const taken = await person.run(person.setup(host, ['--take-over']));
    expect(taken).toMatchObject({ status: 0 });
    // Whoever agrees beforehand sees what to all the same.
    expect(taken.err).toMatch(/daemon +one restart/);
    expect(taken.err).toSay('warning-host-set-another');
    expect(await person.run(person.setup(host))).toMatchObject({ status: 0 });
    expect((await other.run(other.setup(host))).err).toContain('error[E_HOST_MANAGED]');
  } finally {
    await person.run(['remove', host.name, '--yes']);
    other.remove();
  }
});

describe('a host that is not fit', () => {
  test('without docker.service', async () => {
    await host.must('systemctl mask docker.service 2>/dev/null');
    try {
      await remember();
      await expectRefused(await person.run(person.setup(host)), 'E_DOCKER_MASKED', 4);
    } finally {
      await host.must('systemctl unmask docker.service 2>/dev/null');
    }
  });

  test('without dockerd', async () => {
    const dockerd = await host.must('command -v dockerd');
    const unit = await host.must('systemctl show -P FragmentPath docker.service');
    await host.must(`mv ${dockerd} /root/dockerd; mv ${unit} /root/docker.service; systemctl daemon-reload`);
    try {
      await remember();
      await expectRefused(await person.run(person.setup(host)), 'E_NO_DOCKER', 4);
    } finally {
      await host.must(`mv /root/dockerd ${dockerd}; mv /root/docker.service ${unit}; systemctl daemon-reload`);
    }
  });

  test('with a full disk', async () => {
    await host.must(
      'mkdir -p /var/lib/docker-tls && mount -t tmpfs -o size=64k tmpfs /var/lib/docker-tls && { cat /dev/zero >/var/lib/docker-tls/fill 2>/dev/null || true; }',
    );
    try {
      await remember();
      await expectRefused(await person.run(person.setup(host)), 'E_DISK_FULL', 4);
    } finally {
      await host.must('umount /var/lib/docker-tls && rmdir /var/lib/docker-tls');
    }
  });
});

describe('a store that is not fit', () => {
  beforeEach(async () => {
    expect(await person.run(person.setup(host, ['--take-over']))).toMatchObject({ status: 0 });
  });

  test('damaged, and open to others', async () => {
    const record = join(person.store, 'hosts', host.name, 'host.json');
    const good = readFileSync(record, 'utf8');
    writeFileSync(record, '{"name": ');
    await remember();
    await expectRefused(await person.run(person.setup(host)), 'E_STORE_DAMAGED', 2);
    writeFileSync(record, good);
    const key = join(person.store, 'ca/ca-key.pem');
    expect(existsSync(key)).toBe(true);
    chmodSync(key, 0o644);
    await remember();
    await expectRefused(await person.run(person.setup(host)), 'E_STORE_MODES', 2);
  });

  test('a client whose address is not in the certificate is told by the verification, not by docker later', async () => {
    const record = join(person.store, 'hosts', host.name, 'host.json');
    const stored = JSON.parse(readFileSync(record, 'utf8'));
    await host.must('ip address add 10.213.250.1/32 dev lo');
    await person.call('ip', ['route', 'add', '10.213.250.1/32', 'via', host.address]);
    try {
      writeFileSync(record, JSON.stringify({ ...stored, address: '10.213.250.1' }));
      const run = await person.run(['verify', host.name]);
      expect(run.status).toBe(7);
      expect(run.out + run.err).toContain('wrong-name');
    } finally {
      await person.call('ip', ['route', 'del', '10.213.250.1/32']);
      await host.must('ip address del 10.213.250.1/32 dev lo');
    }
  });
});
