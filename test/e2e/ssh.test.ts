/** SSH on real hosts of the lab: every way in, sudo in all its moods, and hosts that are not what they were. */

import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/core/adapters/ssh/connect.ts';
import { Secret } from '../../src/core/domain/secret.ts';
import type { HostSession, ScriptResult, SshOptions, SshQuestions } from '../../src/core/runtime.ts';
import { DockerTlsError } from '../../src/errors/errors.ts';

type Host = { name: string; suite: string; address: string; keyFile: string; knownHosts: string };

const LAB = new URL('../../scripts/lab', import.meta.url).pathname;
const PASSWORD = 'correct horse';
const directory = mkdtempSync('/tmp/docker-tls-e2e-ssh-');
const hosts = new Map<string, Host>();
const SUITES = ['bookworm', 'trixie', 'sid'];

function lab(...args: string[]): string {
  return execFileSync(LAB, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function inside(name: string, script: string): string {
  return lab('exec', name, 'sh', '-c', script);
}

function host(name: string): Host {
  const found = hosts.get(name);
  if (found === undefined) throw new Error(`no host ${name}`);
  return found;
}

beforeAll(() => {
  for (const suite of SUITES) {
    const text = lab(
      'up',
      `ssh-${suite}`,
      ...(suite === 'trixie' ? ['ssh-gate'] : []),
      '--suite',
      suite,
      '--owner-pid',
      String(process.pid),
      '--json',
    );
    for (const each of JSON.parse(text) as Host[]) hosts.set(each.name, each);
  }
  writeFileSync(join(directory, 'config'), 'IdentityAgent none\nIdentityFile none\n');
}, 600_000);

afterAll(() => {
  lab('down', ...hosts.keys());
  rmSync(directory, { recursive: true, force: true });
});

function to(name: string, user: string, more: Partial<SshOptions> = {}): SshOptions {
  const { address, keyFile, knownHosts } = host(name);
  return {
    host: name,
    destination: address,
    user,
    identities: [keyFile],
    configFile: join(directory, 'config'),
    knownHostsFile: knownHosts,
    ...more,
  };
}

function asking(
  answers: { password?: string; passphrase?: string; sudo?: string },
  requested: string[] = [],
): SshQuestions {
  const say = (kind: string, text: string | undefined): Secret => {
    requested.push(kind);
    return new Secret(text ?? '');
  };
  return {
    hostKey: async () => false,
    passphrase: async () => say('passphrase', answers.passphrase),
    password: async ({ prompt }) => say(`password: ${prompt}`, answers.password),
    ...(answers.sudo === undefined ? {} : { sudoPassword: async () => say('sudo', answers.sudo) }),
  };
}

async function as(
  session: HostSession,
  script: string,
  asRoot = true,
  input: (Uint8Array | Secret)[] = [],
): Promise<ScriptResult> {
  return await session.run({ phase: 'test', script, asRoot, timeoutMs: 30_000, input });
}

async function once(options: SshOptions, script = 'id -un', asRoot = true): Promise<string> {
  const session = await connect(options).catch((error: Error) => {
    // What was tried belongs into the report of a test that fails.
    if (error instanceof DockerTlsError) error.message += ` (${error.details.join('; ')})`;
    throw error;
  });
  try {
    return (await as(session, script, asRoot)).stdout.toString().trim();
  } finally {
    await session.close();
  }
}

async function failure(work: Promise<unknown>): Promise<DockerTlsError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof DockerTlsError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe.each(SUITES)('%s', (suite) => {
  const name = `ssh-${suite}`;

  describe.each(['ssh2', 'openssh'] as const)('%s', (transport) => {
    it.each(['root', 'ops', 'noisy', 'fishy'])('%s becomes root, and no banner gets through', async (user) => {
      const session = await connect(to(name, user, { transport }));
      const mine = await as(session, 'id -un; echo quiet >&2', false);
      expect([mine.stdout.toString(), mine.stderr]).toEqual([`${user}\n`, 'quiet\n']);
      const secret = Buffer.from([0, 255, 10, 13, 27, 39, 34, 92, 36]);
      const result = await as(session, 'id -u; echo "$LC_ALL:$(umask)"; head -c 9 | od -An -tx1; cat; exit 3', true, [
        new Secret(secret),
        Buffer.from('rest'),
      ]);
      expect([result.status, result.stdout.toString(), result.stderr]).toEqual([
        3,
        '0\nC:0022\n 00 ff 0a 0d 1b 27 22 5c 24\nrest',
        '',
      ]);
      await session.close();
    });

    it('gives sudo its password, once for a session, and never shows it', async () => {
      const session = await connect(to(name, 'pat', { transport, sudoPassword: new Secret(PASSWORD) }));
      const script = 'id -un; ps -eww -o args=; cat /proc/*/environ 2>/dev/null | tr "\\0" "\\n"; cat';
      for (let turn = 0; turn < 3; turn += 1) {
        const { stdout } = await as(session, script, true, [Buffer.from(`turn ${turn}`)]);
        expect(stdout.toString().split('\n')[0]).toBe('root');
        expect(stdout.toString().endsWith(`turn ${turn}`)).toBe(true);
        expect(stdout.toString()).not.toContain(PASSWORD);
      }
      const all = await Promise.all([1, 2, 3].map(() => as(session, 'id -un')));
      expect(all.map(({ stdout }) => stdout.toString())).toEqual(['root\n', 'root\n', 'root\n']);
      await session.close();
      expect(inside(name, 'journalctl --no-pager')).not.toContain(PASSWORD);
    });

    it('asks for the sudo password only when sudo wants one', async () => {
      const requested: string[] = [];
      const ask = asking({ sudo: PASSWORD }, requested);
      expect(await once(to(name, 'ops', { transport, ask }))).toBe('root');
      expect(requested).toEqual([]);
      const session = await connect(to(name, 'pat', { transport, ask }));
      expect((await as(session, 'id -un')).stdout.toString()).toBe('root\n');
      expect((await as(session, 'id -un')).stdout.toString()).toBe('root\n');
      expect(requested).toEqual(['sudo']);
      await session.close();
    });

    it('skips a password that sudo does not want', async () => {
      const session = await connect(to(name, 'ops', { transport, sudoPassword: new Secret('echo pwned; exit 9') }));
      for (const _ of [1, 2]) {
        const result = await as(session, 'cat', true, [Buffer.from('input')]);
        expect([result.status, result.stdout.toString(), result.stderr]).toEqual([0, 'input', '']);
      }
      await session.close();
    });

    it('refuses with the right words without a password, with a wrong one, and without a right to sudo', async () => {
      const session = await connect(to(name, 'pat', { transport }));
      const none = await failure(as(session, 'id'));
      expect([none.code, none.exit, none.hints[0]]).toEqual(['E_SUDO_PASSWORD', 4, '--ask-sudo-password']);
      await session.close();
      const wrong = await failure(once(to(name, 'pat', { transport, sudoPassword: new Secret('wrong pony') })));
      expect([wrong.code, wrong.exit]).toEqual(['E_SUDO_REFUSED', 4]);
      expect(wrong.message).toSay('asks-for-the-one', 'pat');
      inside(name, "echo 'Defaults:pat rootpw' >/etc/sudoers.d/rootpw");
      const roots = await failure(once(to(name, 'pat', { transport, sudoPassword: new Secret(PASSWORD) })));
      inside(name, 'rm /etc/sudoers.d/rootpw');
      expect([roots.code, roots.message]).toEqual(['E_SUDO_REFUSED', expect.toSay('asks-for-the-one', 'root')]);
      inside(
        name,
        "id outsider || (useradd -m outsider && echo 'outsider:correct horse' | chpasswd && cp -r ~pat/.ssh ~outsider/ && chown -R outsider: ~outsider)",
      );
      const typed = ['wrong pony', PASSWORD];
      const questions: boolean[] = [];
      const slip = await connect(
        to(name, 'pat', {
          transport,
          ask: {
            ...asking({}, []),
            sudoPassword: async ({ again = false }) => {
              questions.push(again);
              return new Secret(typed[questions.length - 1] ?? '');
            },
          },
        }),
      );
      expect((await as(slip, 'id -un')).stdout.toString()).toBe('root\n');
      expect(questions).toEqual([false, true]);
      await slip.close();
      const untrusted = await failure(once(to(name, 'outsider', { transport, sudoPassword: new Secret(PASSWORD) })));
      expect(untrusted.code).toBe('E_SUDO_REFUSED');
      expect(untrusted.details.join(' ')).toMatch(/sudoers|not allowed|may not/);
    });
  });
});

describe('trixie', () => {
  const name = 'ssh-trixie';

  it('says so when there is no sudo, or sudo wants a terminal', async () => {
    inside('ssh-gate', "echo 'Defaults:ops requiretty' >/etc/sudoers.d/tty");
    const tty = await failure(once(to('ssh-gate', 'ops')));
    expect(tty.code).toBe('E_SUDO_REFUSED');
    expect(tty.details.join(' ')).toContain('tty');
    expect(tty.hints[0]).toContain('Defaults:ops !requiretty');
    inside('ssh-gate', 'rm /etc/sudoers.d/tty; mv /usr/bin/sudo /usr/bin/sudo.away');
    const missing = await failure(once(to('ssh-gate', 'ops')));
    expect([missing.code, missing.exit]).toEqual(['E_SUDO_MISSING', 4]);
    inside('ssh-gate', 'mv /usr/bin/sudo.away /usr/bin/sudo');
    expect(await once(to('ssh-gate', 'ops'))).toBe('root');
  });

  it('says so when the user has no shell or a forced command', async () => {
    inside(
      name,
      'id locked || (useradd -m -s /usr/sbin/nologin locked && cp -r ~pat/.ssh ~locked/ && chown -R locked: ~locked)',
    );
    for (const transport of ['ssh2', 'openssh'] as const) {
      const error = await failure(once(to(name, 'locked', { transport }), 'id', false));
      expect(error.code).toBe('E_SSH_NO_SHELL');
      expect(error.details.join(' ')).toContain('not available');
    }
  });

  describe.each(['ssh2', 'openssh'] as const)('%s', (transport) => {
    it('logs in with a password, and does not ask again for the next connection', async () => {
      const requested: string[] = [];
      const options = to(name, 'pat', { transport, identities: [], ask: asking({ password: PASSWORD }, requested) });
      expect(await once(options, 'id -un', false)).toBe('pat');
      expect(await once(options, 'id -un', false)).toBe('pat');
      expect(requested).toHaveLength(1);
    });

    it('logs in by keyboard-interactive through PAM', async () => {
      const conf = '/etc/ssh/sshd_config.d/kbd.conf';
      inside(
        name,
        `printf 'KbdInteractiveAuthentication yes\\nPasswordAuthentication no\\n' >${conf}; systemctl reload ssh; sleep 0.3`,
      );
      try {
        const options = to(name, 'pat', { transport, identities: [], ask: asking({ password: PASSWORD }) });
        expect(await once(options, 'id -un', false)).toBe('pat');
      } finally {
        inside(name, `rm ${conf}; systemctl reload ssh; sleep 0.3`);
      }
    });

    it('says what was tried when it is not accepted', async () => {
      const untrusted = join(directory, `untrusted-${transport}`);
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', untrusted]);
      const error = await failure(connect(to(name, 'root', { transport, identities: [untrusted] })));
      expect(error.code).toBe('E_SSH_AUTH');
      expect(error.details.join('\n')).toContain('publickey');
    });

    it.each(['ed25519', 'rsa', 'ecdsa'])('logs in with an encrypted %s key made by ssh-keygen', async (type) => {
      const file = join(directory, `locked-${type}-${transport}`);
      execFileSync('ssh-keygen', ['-q', '-t', type, '-N', 'open sesame', '-f', file]);
      authorize(name, file);
      const requested: string[] = [];
      const options = to(name, 'root', {
        transport,
        identities: [file],
        ask: asking({ passphrase: 'open sesame' }, requested),
      });
      expect(await Promise.all([once(options), once(options)])).toEqual(['root', 'root']);
      expect(requested).toEqual(['passphrase']);
    });

    it('logs in with what the agent holds, the files being away', async () => {
      const file = join(directory, `agent-${transport}`);
      const socket = join(directory, `agent-${transport}.sock`);
      const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
      try {
        execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-N', '', '-f', file]);
        authorize(name, file);
        const env = { ...process.env, SSH_AUTH_SOCK: socket };
        execFileSync(
          'sh',
          ['-c', 'for i in 1 2 3 4 5 6 7 8 9; do ssh-add -q "$0" && exit; sleep 0.1; done; exit 1', file],
          { env },
        );
        rmSync(file);
        const configFile = join(directory, `agent-${transport}.config`);
        writeFileSync(configFile, `IdentityAgent ${socket}\nIdentityFile none\n`);
        expect(await once(to(name, 'root', { transport, identities: [], configFile }))).toBe('root');
        // Its public half, named with -i, picks it out of the agent.
        expect(await once(to(name, 'root', { transport, identities: [`${file}.pub`], configFile }))).toBe('root');
      } finally {
        agent.kill();
      }
    });

    it('goes through a jump host by its alias in the ssh config', async () => {
      const { keyFile } = host(name);
      const gate = host('ssh-gate');
      const configFile = join(directory, `jump-${transport}.config`);
      const known = join(directory, `jump-${transport}.known`);
      writeFileSync(known, readFileSync(gate.knownHosts, 'utf8') + readFileSync(host(name).knownHosts, 'utf8'));
      const include = join(directory, `jump-${transport}.include`);
      writeFileSync(include, `Host gate\n  HostName ${gate.address}\n  User ops\n`);
      writeFileSync(
        configFile,
        `Include ${include}\nHost inner\n  HostName ${host(name).address}\n  User root\n  ProxyJump gate\nHost *\n  IdentityFile ${keyFile}\n  IdentityAgent none\n`,
      );
      const options: SshOptions = { host: 'inner', destination: 'inner', transport, configFile, knownHostsFile: known };
      const session = await connect(options);
      expect([session.user, session.dialled]).toEqual(['root', host(name).address]);
      const peer = await as(
        session,
        'echo "$SSH_CONNECTION" | cut -d" " -f1; ss -Htn state established "( sport = :22 )" | cut -d: -f2-',
      );
      expect(peer.stdout.toString()).toContain(gate.address);
      await session.close();
    });

    it('refuses a host whose key has changed', async () => {
      const known = join(directory, `changed-${transport}`);
      const { address } = host('ssh-gate');
      // The lab's own line for another host, under this one's address.
      writeFileSync(known, readFileSync(host(name).knownHosts, 'utf8').replaceAll(host(name).address, address));
      for (const hostKey of ['strict', 'accept-new']) {
        const error = await failure(connect(to('ssh-gate', 'root', { transport, knownHostsFile: known, hostKey })));
        expect([error.code, error.exit]).toEqual(['E_SSH_HOST_KEY_CHANGED', 4]);
        expect(error.message).toContain(`${known}:`);
      }
    });

    it('takes a new host with accept-new, and knows it from then on', async () => {
      const known = join(directory, `new-${transport}`);
      expect((await failure(connect(to(name, 'root', { transport, knownHostsFile: known })))).code).toBe(
        'E_SSH_HOST_KEY_UNKNOWN',
      );
      expect(await once(to(name, 'root', { transport, knownHostsFile: known, hostKey: 'accept-new' }))).toBe('root');
      expect(await once(to(name, 'root', { transport, knownHostsFile: known, hostKey: 'strict' }))).toBe('root');
    });

    it('says E_SSH_LOST when the host goes away', async () => {
      const session = await connect(to(name, 'root', { transport }));
      const error = await failure(as(session, 'echo begun; kill -9 $PPID; sleep 20'));
      expect(error.code).toBe('E_SSH_LOST');
      await session.close();
    });
  });

  it('takes openssh by itself for what ssh2 cannot do, says so, and leaves nothing of it out', async () => {
    const gate = host('ssh-gate');
    const keygen = (...words: string[]) => execFileSync('ssh-keygen', ['-q', ...words]);
    const config = (file: string, ...lines: string[]): string => {
      writeFileSync(join(directory, file), ['IdentityAgent none', 'IdentityFile none', ...lines, ''].join('\n'));
      return join(directory, file);
    };
    const sshd = (lines: string): void => {
      inside(name, `printf '${lines}' >/etc/ssh/sshd_config.d/test.conf; systemctl reload ssh; sleep 0.3`);
    };
    const byItself = async (why: RegExp, more: Partial<SshOptions>): Promise<void> => {
      const session = await connect(to(name, 'root', more));
      expect(session.transport).toMatch(why);
      expect((await as(session, 'id -un')).stdout.toString()).toBe('root\n');
      await session.close();
      expect((await failure(connect(to(name, 'root', { ...more, transport: 'ssh2' })))).code).toBe('E_SSH_TRANSPORT');
    };

    const chacha = join(directory, 'chacha');
    keygen('-t', 'ed25519', '-N', 'open sesame', '-Z', 'chacha20-poly1305@openssh.com', '-f', chacha);
    authorize(name, chacha);
    const ask = asking({ passphrase: 'open sesame' });
    await byItself(/cannot read the key .*chacha/, { identities: [chacha], ask });

    const proxy = `ssh -F none -i ${gate.keyFile} -o UserKnownHostsFile=${gate.knownHosts} -W %h:%p root@${gate.address}`;
    await byItself(/ProxyCommand/, { configFile: config('proxy', `ProxyCommand ${proxy}`) });
    await byItself(/ControlPath/, { configFile: config('control', `ControlPath ${directory}/%C`) });

    // The host is known by known_hosts; a list of revoked keys, as text or as a binary KRL, says no to it.
    const hostKey = join(directory, 'host-key.pub');
    writeFileSync(hostKey, inside(name, 'cat /etc/ssh/ssh_host_ed25519_key.pub'));
    const krl = join(directory, 'krl');
    keygen('-k', '-f', krl);
    await byItself(/RevokedHostKeys/, { configFile: config('revoked', `RevokedHostKeys ${krl}`) });
    keygen('-k', '-f', krl, hostKey);
    for (const revoked of [krl, hostKey]) {
      const configFile = config('revoked', `RevokedHostKeys ${revoked}`, 'HostKeyAlgorithms ssh-ed25519');
      for (const hostKey of ['strict', 'accept-new']) {
        const error = await failure(connect(to(name, 'root', { configFile, hostKey })));
        expect([error.code, error.exit]).toEqual(['E_SSH_HOST_KEY_REVOKED', 4]);
      }
    }

    const nothing = join(directory, 'nothing.known');
    const command = join(directory, 'known-command');
    writeFileSync(command, `#!/bin/sh\ncat ${host(name).knownHosts}\n`, { mode: 0o700 });
    const configFile = config('command', `KnownHostsCommand ${command}`);
    await byItself(/KnownHostsCommand/, { configFile, knownHostsFile: nothing });
    writeFileSync(command, '#!/bin/sh\n');
    const unknown = await failure(connect(to(name, 'root', { configFile, knownHostsFile: nothing })));
    expect(unknown.code).toBe('E_SSH_HOST_KEY_UNKNOWN');

    const authority = join(directory, 'authority');
    keygen('-t', 'ed25519', '-N', '', '-f', authority);
    keygen('-s', authority, '-h', '-I', 'host', '-n', host(name).address, hostKey);
    const certificate = readFileSync(join(directory, 'host-key-cert.pub'), 'utf8').trim();
    inside(name, `echo '${certificate}' >/etc/ssh/host-cert.pub`);
    sshd('HostCertificate /etc/ssh/host-cert.pub\n');
    const known = join(directory, 'authority.known');
    writeFileSync(known, `@cert-authority ${host(name).address} ${readFileSync(`${authority}.pub`, 'utf8')}`);
    await byItself(/authority.known:1 trusts a certificate authority/, { knownHostsFile: known });
    // Where that authority is not known, the certificate counts as its key: new, and then known, by either transport.
    const asKey = join(directory, 'certificate-as-key.known');
    for (const [transport, hostKey] of [
      ['openssh', 'accept-new'],
      ['openssh', 'strict'],
      ['ssh2', 'strict'],
    ] as const)
      expect(await once(to(name, 'root', { transport, knownHostsFile: asKey, hostKey }))).toBe('root');

    sshd('KexAlgorithms sntrup761x25519-sha512@openssh.com\n');
    await byItself(/shares no algorithm/, {});
    sshd('');

    const line = readFileSync(`${authority}.pub`, 'utf8').trim();
    inside(name, `echo 'cert-authority ${line}' >>/root/.ssh/authorized_keys`);
    const mine = join(directory, 'mine');
    keygen('-t', 'ed25519', '-N', '', '-f', mine);
    keygen('-s', authority, '-I', 'me', '-n', 'root', `${mine}.pub`);
    await byItself(/mine has a certificate/, { identities: [mine] });
    const moved = join(directory, 'elsewhere-cert.pub');
    renameSync(`${mine}-cert.pub`, moved);
    await byItself(/CertificateFile/, {
      identities: [mine],
      configFile: config('certificate', `CertificateFile ${moved}`),
    });
  });

  it.each(['ssh2', 'openssh'] as const)('notices that the network is gone, by %s', async (transport) => {
    const session = await connect(to('ssh-gate', 'root', { transport, keepaliveMs: 500 }));
    const error = await failure(
      session.run({
        phase: 'apply',
        script: 'echo begun; sleep 60',
        asRoot: true,
        timeoutMs: 50_000,
        onLine: () => void lab('cut', 'ssh-gate'),
      }),
    );
    lab('fix', 'ssh-gate');
    expect([error.code, error.exit]).toEqual(['E_SSH_LOST', 4]);
    await session.close();
    expect(await once(to('ssh-gate', 'root', { transport }))).toBe('root');
  });

  it('runs on this machine itself, with sudo for others than root', async () => {
    const session = await connect({ host: 'local', destination: 'local' });
    expect([session.dialled, (await as(session, 'id -u; cat', true, [Buffer.from('x')])).stdout.toString()]).toEqual([
      'localhost',
      '0\nx',
    ]);
    await session.close();
  });
});

function authorize(name: string, file: string): void {
  const line = readFileSync(`${file}.pub`, 'utf8').trim();
  appendFileSync(join(directory, 'authorized'), `${line}\n`);
  inside(name, `echo '${line}' >>/root/.ssh/authorized_keys`);
}
