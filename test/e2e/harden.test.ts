/** Hardening on real hosts of three generations: fixed, still usable, stable, and undone without a trace. */

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { remove } from 'fs-extra/esm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labUp, type Suite, suites } from '../support/lab.ts';

let program: Program;
beforeAll(() => {
  program = buildProgram();
});
afterAll(() => program?.remove());

const FILES =
  'cd /etc && find . ! -type s -printf "%M %u:%g %p %l\\n" | LC_ALL=C sort && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum';
/**
 * Without the copies that gpasswd makes of what it edits. They are not put back: `group-` says what `group` was before the last edit, by
 * whomever, and after `remove` that is the edit with which the members came back. An older copy in its place would be a lie, and would
 * give `grpck`, and a restore from it, the wrong members.
 */
const WITHOUT_BACKUPS = `{ ${FILES}; } | grep -vE ' \\./(group|gshadow)-( |$)'`;

/** Kernel settings that belong to the host itself, also where it is a container; the interface of a container may be a new one. */
const RUNNING =
  'cd /proc/sys/net && grep -rs "" ipv4/conf ipv6/conf ipv4/icmp_echo_ignore_broadcasts | grep -v /veth | LC_ALL=C sort';

const BANNER = 'Authorized users only. Use of this system is monitored, recorded and reported.';

/** A plan changes nothing, so it has no question. */
const yes = ([command = '']: readonly string[]) => (['plan', 'verify'].includes(command) ? [] : ['--yes']);

describe.each(suites)('on %s', (suite: Suite) => {
  let host: LabHost;
  let home: string;

  async function run(...words: string[]) {
    const { status, out, err } = await program.run(['--home', home, ...words], {
      env: { ...process.env, HOME: home, SSH_AUTH_SOCK: '' },
    });
    return { status, out, err };
  }
  type Result = { id: string; state: string; fix: string; fixable?: string };
  async function results(): Promise<Result[]> {
    const { out } = await run('audit', 'web', '--json');
    return JSON.parse(out).result.subjects[0].results;
  }
  const fixable = (found: readonly Result[]) =>
    found.filter((one) => one.state === 'finding' && one.fixable !== undefined).map((one) => one.fixable as string);
  const pid = () => host.must("docker inspect -f '{{.State.Pid}}' web");

  beforeAll(async () => {
    [host] = (await labUp({ names: [`harden-${suite}`], suite })) as [LabHost];
    home = await mkdtemp(join(tmpdir(), 'docker-tls-harden-'));
    await host.container('web');
    await host.must(`gpasswd -a noisy docker && gpasswd -a pat docker && chmod 0666 /etc/default/docker
      mkdir -p /etc/docker/certs.d/registry.lab:5000
      openssl genpkey -algorithm ed25519 -out /etc/docker/certs.d/registry.lab:5000/client.key 2>/dev/null
      chmod 0644 /etc/docker/certs.d/registry.lab:5000/client.key
      sed -i '1i umask 022' /etc/profile
      printf 'MaxAuthTries 20\\n' >/etc/ssh/sshd_config.d/00-base.conf
      printf 'Match User ops\\n  MaxSessions 30\\n' >>/etc/ssh/sshd_config
      echo '-w /srv/by-hand -p wa' >>/etc/audit/audit.rules`);
  });
  afterAll(async () => {
    await host?.down();
    await remove(home);
  });

  it('fixes what can be fixed, locks no user out, and restores all of it', async () => {
    const before = await host.must(WITHOUT_BACKUPS);
    const kernel = await host.must(RUNNING);
    const running = await pid();
    const to = `ops@${host.address}`;
    const ssh = ['-i', host.keyFile, '--host-key', 'accept-new'];
    const refused = await run('harden', to, ...ssh, '--yes');
    expect(refused.status, refused.err).toBe(2);
    expect(refused.err).toContain('E_NOT_SET_UP');
    expect(refused.err, 'the login that was typed').toContain(`docker-tls --home ${home} setup ops@${host.address}`);

    const setup = await run('setup', to, '--name', 'web', ...ssh, '--no-ca-passphrase', '--client', 'me', '--yes');
    expect(setup.status, setup.err).toBe(0);
    expect(fixable(await results())).toEqual(
      expect.arrayContaining(['sshd', 'sshd-passwords', 'docker-group', 'file-modes']),
    );

    const shown = await run('harden', 'web', '--dry-run');
    expect(shown.out).toSay('costs-no-new-privileges-programs-inside');
    for (const fix of ['userland-proxy', 'userns-remap', 'icc', 'docker-group', 'sshd-root', 'sshd-passwords'])
      expect(shown.out).toSay('left-out', fix, `--accept ${fix}`);
    const accepted =
      'docker-group,sshd-root,sshd-passwords,sshd-forwarding,sshd-sessions,modules-used,umask,session-timeout';
    const yes = ['--profile', 'lynis', '--banner', BANNER, '--accept', accepted, '--keep-docker-group', 'noisy'];
    const hardened = await run('harden', 'web', ...yes, '--yes');
    expect(hardened.status, hardened.err).toBe(0);
    expect(hardened.out).toContain('left out: userns-remap');
    expect(hardened.out).toContain('left out: icc');
    expect(hardened.out).toSay('kernel-self-nothing-changed-since');
    expect(hardened.out).toMatch(/costs: no-new-privileges: /);
    expect(hardened.out).toSay('rules-rules-no-file');
    expect(hardened.out).toSay('maxsessions-not-another-line', 'ops', '30', '2');
    expect(hardened.out, '00-base.conf sorts after ours').not.toMatch(/MaxAuthTries (is|says)/);
    expect(await host.must('stat -c %a /etc/docker/certs.d/registry.lab:5000/client.key')).toBe('400');
    expect(await host.must('cat /etc/audit/audit.rules')).toMatch(/by-hand/);
    // noisy stays in the docker group, as was asked for; the others need a yes of their own.
    const found = await results();
    expect(new Set(fixable(found))).toEqual(new Set(['docker-group', 'icc', 'userland-proxy', 'userns-remap']));
    expect(await pid()).toBe(running);
    // A member that comes back stands last in the line: which order it is has no meaning, so noisy is the first here.
    expect(await host.must('getent group docker')).toMatch(/:noisy$/);
    expect((await host.ssh('true', { user: 'ops' })).exit).toBe(0);
    expect((await host.ssh('true', { user: 'root' })).exit).not.toBe(0);
    expect(await host.must('sshd -T')).toMatch(/^passwordauthentication no$/im);
    expect(await host.must('sshd -T')).toMatch(/^maxauthtries 3$/im);
    expect(await host.must('cat /proc/sys/net/ipv4/conf/all/send_redirects /proc/sys/net/ipv4/ip_forward')).toBe(
      '0\n1',
    );
    // Its banner goes to ssh's own words, a login shell has its umask and its end.
    expect((await host.ssh('umask', { user: 'ops' })).exit).toBe(0);
    expect(await host.must("su -l pat -c 'umask; echo $TMOUT; ulimit -c'")).toBe('0027\n900\n0');
    expect(found.find(({ id }) => id === 'ssh.4')).toMatchObject({
      state: 'finding',
      fix: expect.toSay('match-block'),
    });

    // What is new starts as well, with the limits that it now gets.
    await host.container('later');
    await host.must('docker rm -f later');

    expect((await run('plan', 'web', '--check')).status).toBe(0);
    expect((await run('apply', 'web', '--yes')).out).toContain('nothing to do');
    expect((await run('verify', 'web')).status).toBe(0);

    const removed = await run('remove', 'web', '--yes');
    expect(removed.status, removed.err).toBe(0);
    expect(await pid()).toBe(running);
    expect(await host.must(WITHOUT_BACKUPS)).toBe(before);
    expect(await host.must(RUNNING)).toBe(kernel);
    // The last edit was gpasswd's, which gave a member back.
    expect(await host.must('diff /etc/group- /etc/group || :')).toMatch(/^> docker:/m);
    expect((await host.ssh('true', { user: 'root' })).exit).toBe(0);
  });
});

describe('userns-remap', () => {
  let host: LabHost;
  let home: string;

  beforeAll(async () => {
    [host] = (await labUp({ names: ['harden-userns'], suite: 'trixie' })) as [LabHost];
    home = await mkdtemp(join(tmpdir(), 'docker-tls-userns-'));
    await host.container('web', '-p 8081:80', 'httpd -f -h /etc');
  });
  afterAll(async () => {
    await host?.down();
    await remove(home);
  });

  it('hides what is there while it lasts, stops nothing, and a rollback brings it all back', async () => {
    const run = (...words: string[]) =>
      program.run(['--home', home, ...words, '-i', host.keyFile, '--host-key', 'accept-new', ...yes(words)], {
        env: { ...process.env, HOME: home, SSH_AUTH_SOCK: '' },
      });
    const started = () => host.must("docker inspect -f '{{.State.Pid}} {{.State.StartedAt}}' web");
    const answers = async () =>
      (
        await fetch(`http://${host.address}:8081/hostname`, { signal: AbortSignal.timeout(5000) }).catch(
          () => undefined,
        )
      )?.ok === true;
    const before = await started();
    expect(await answers()).toBe(true);
    const setup = await run('setup', `root@${host.address}`, '--name', 'web', '--no-ca-passphrase');
    expect(setup.status, setup.err).toBe(0);
    const harden = async () => {
      const hardened = await run('harden', 'web', '--only', 'userns-remap', '--accept', 'userns-remap');
      expect(hardened.status, hardened.err).toBe(0);
      return hardened;
    };
    // dockerd itself could not make its user: one that is stopped meanwhile leaves half of it.
    await host.must("printf '#!/bin/sh\\nexit 1\\n' >/usr/sbin/adduser");
    const hardened = await harden();
    expect(hardened.out).toSay('ports-do-not-answer');
    expect(await answers()).toBe(false);
    expect(await host.must("docker info -f '{{.SecurityOptions}}'")).toContain('name=userns');
    expect(await host.must('docker ps -aq')).toBe('');
    expect(await host.must(`ls -d /proc/${before.split(' ')[0]}`)).not.toBe('');
    const back = await run('rollback', 'web');
    expect(back.status, back.err).toBe(0);
    expect(await host.must("docker info -f '{{.SecurityOptions}}'")).not.toContain('name=userns');
    expect(await started()).toBe(before);
    expect(await host.must('docker exec web echo alive')).toBe('alive');
    expect(await answers()).toBe(true);
    expect((await run('plan', 'web', '--check')).status).toBe(0);

    const ranges = () => host.must('grep -h dockremap: /etc/subuid /etc/subgid');
    const made = await ranges();
    await host.must('sed -i /^dockremap:/d /etc/subuid');
    await harden();
    expect(await ranges(), 'half a user is completed, with numbers that no other has').toBe(
      made.replace('dockremap:362144', 'dockremap:427680'),
    );
    expect(await host.must("docker info -f '{{.SecurityOptions}}'")).toContain('name=userns');
  });
});

describe('icc, and MaxAuthTries of the article', () => {
  let host: LabHost;
  let home: string;

  beforeAll(async () => {
    [host] = (await labUp({ names: ['harden-icc'], suite: 'trixie' })) as [LabHost];
    home = await mkdtemp(join(tmpdir(), 'docker-tls-icc-'));
    await host.container('web', '--restart=always', 'httpd -f -h /etc');
    await host.container('asker', '--restart=always');
  });
  afterAll(async () => {
    await host?.down();
    await remove(home);
  });

  it('icc waits for a start without containers, and says so only where they do not stop', async () => {
    const run = (...words: string[]) =>
      program.run(['--home', home, ...words, '-i', host.keyFile, '--host-key', 'accept-new', ...yes(words)], {
        env: { ...process.env, HOME: home, SSH_AUTH_SOCK: '' },
      });
    const reaches = async () => {
      const web = await host.must("docker inspect -f '{{.NetworkSettings.IPAddress}}' web");
      return (await host.exec(`docker exec asker wget -q -T 3 -O /dev/null http://${web}/hostname`)).exit === 0;
    };
    const setup = await run('setup', `root@${host.address}`, '--name', 'web', '--no-ca-passphrase');
    expect(setup.status, setup.err).toBe(0);
    const late = expect.toSay('icc-later', 'icc');
    const only = ['harden', 'web', '--only', 'icc', '--accept', 'icc'];
    expect((await run(...only, '--dry-run')).out.replace(/\s+/g, ' ')).toEqual(late);
    const kept = await run(...only);
    expect(kept.out.replace(/\s+/g, ' ')).toEqual(late);
    expect(await reaches()).toBe(true);
    expect((await run('rollback', 'web')).status).toBe(0);
    const stopped = await run(...only, '--containers', 'may-stop');
    expect(stopped.status, stopped.err).toBe(0);
    expect(stopped.out).toMatch(/costs: icc: /);
    expect(stopped.out.replace(/\s+/g, ' ')).not.toEqual(late);
    await host.must('until [ "$(docker ps -q | wc -l)" = 2 ]; do sleep 0.2; done');
    expect(await reaches()).toBe(false);

    const unused = await run('harden', 'web', '--only', 'sshd', '--accept', 'icc');
    expect([unused.status, unused.err]).toEqual([2, expect.toSay('icc-not-among-fixes', '--accept')]);
    const article = await run('harden', 'web', '--profile', 'article');
    expect(article.status, article.err).toBe(0);
    expect(await host.must('sshd -T')).toMatch(/^maxauthtries 2$/im);
    expect((await run('apply', 'web')).out).toContain('nothing to do');
    expect((await run('harden', 'web', '--only', 'sshd')).out).not.toMatch(/costs: sshd/);
    expect(await host.must('sshd -T')).toMatch(/^maxauthtries 2$/im);
  });
});

describe('where a socket unit starts sshd', () => {
  let host: LabHost;
  let home: string;

  beforeAll(async () => {
    [host] = (await labUp({ names: ['harden-socket'], suite: 'trixie' })) as [LabHost];
    home = await mkdtemp(join(tmpdir(), 'docker-tls-socket-'));
    // A session's programs must not hold the port: they would outlive the service.
    await host.must('systemctl stop ssh.service && systemctl start ssh.socket');
  });
  afterAll(async () => {
    await host?.down();
    await remove(home);
  });

  it('sshd takes its settings in and gives them back, though it cannot reload', async () => {
    const run = (...words: string[]) =>
      program.run(['--home', home, ...words, '-i', host.keyFile, '--host-key', 'accept-new', ...yes(words)], {
        env: { ...process.env, HOME: home, SSH_AUTH_SOCK: '' },
      });
    const setup = await run('setup', `root@${host.address}`, '--name', 'web', '--no-ca-passphrase');
    expect(setup.status, setup.err).toBe(0);
    const hardened = await run('harden', 'web', '--only', 'sshd');
    expect(hardened.status, hardened.err).toBe(0);
    expect(await host.must('systemctl is-active ssh.socket && sshd -T | grep -i maxauthtries')).toBe(
      'active\nmaxauthtries 4',
    );
    expect((await host.ssh('true')).exit).toBe(0);
    const back = await run('rollback', 'web');
    expect(back.status, back.err).toBe(0);
    expect(await host.must('systemctl is-active ssh.socket && sshd -T | grep -i maxauthtries')).toBe(
      'active\nmaxauthtries 6',
    );
    expect((await host.ssh('true')).exit).toBe(0);
  });
});
