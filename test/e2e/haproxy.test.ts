/** HAProxy as the listener on real hosts: dockerd is left alone, nothing is refused, roles hold, a revocation cuts, everything is restored. */

import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROLE_NAMES } from '../../src/features/haproxy/domain/role-names.ts';
import { buildProgram, type Program } from '../support/cli.ts';
import { clientCalls } from '../support/client-calls.ts';
import { compare, type HostSnapshot, leftovers, snapshot } from '../support/host-state.ts';
import { type LabHost, labClient, labUp, suites } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';

let program: Program;
let docker: string;
beforeAll(async () => {
  program = buildProgram();
  docker = await labClient();
});
afterAll(() => program?.remove());

/** Process and start of dockerd, and of the container. */
const DAEMON =
  'systemctl show docker.service -p MainPID -p ExecMainStartTimestamp; docker inspect -f "{{.State.Pid}} {{.State.StartedAt}}" web';

describe.each(suites)('on %s', (suite) => {
  let host: LabHost;
  let person: Person;
  let before: HostSnapshot;
  let daemon: string;

  beforeAll(async () => {
    [host] = (await labUp({ names: [`hap-${suite}`], suite, with: ['haproxy'] })) as [LabHost];
    person = newPerson(program, [host]);
    await host.container('web');
    before = await snapshot(host);
    daemon = await host.must(DAEMON);
  });
  afterAll(async () => {
    await host?.down();
    person?.remove();
  });

  const { done, words, as, poll } = clientCalls(() => ({ host, person, docker }));
  /** A stream of a client; `ended` is undefined while it runs. */
  const stream = (client: string) => {
    const child = spawn(docker, words(client, 'events'), { stdio: 'ignore', env: person.env });
    const followed: { ended: number | undefined; stop: () => void } = { ended: undefined, stop: () => child.kill() };
    child.on('exit', () => {
      followed.ended = Date.now();
    });
    return followed;
  };
  // A reload that refuses a connection is seen in many only: on one generation there are ten.
  const rotations = suite === 'trixie' ? 8 : 2;
  test(`a setup, ${rotations + 2} reloads and new roles leave dockerd, streams and new connections alone`, async () => {
    await done(...person.setup(host, ['--listener', 'haproxy', '--role-rule', 'deploy POST /containers/*/restart']));
    expect(await host.must(DAEMON)).toBe(daemon);
    const events = stream('laptop');
    const poller = poll(20);
    for (let left = 0; left < rotations; left += 1) await done('rotate', 'server', host.name, '--yes');
    await done('client', 'add', 'prom', '--role', 'monitor', '--yes');
    await done('client', 'add', 'prom', '--role', 'read', '--yes');
    await poller.stop();
    expect(poller.refusals).toEqual([]);
    expect(events.ended).toBeUndefined();
    events.stop();
    expect(await host.must(DAEMON)).toBe(daemon);
    const plan = await done('plan', host.name);
    expect(plan.out).toContain('in sync');
  });

  test('a role holds, with an error that docker prints', async () => {
    const listed = (await done('role', 'list')).out;
    for (const role of [...ROLE_NAMES, 'deploy']) expect(listed).toContain(`${role} `);
    await done('client', 'add', 'dep', '--role', 'deploy', '--yes');
    expect((await as('prom', 'ps', '--format', '{{.Names}}')).out).toBe('web\n');
    const refused = await as('prom', 'rm', '-f', 'web');
    expect(refused.err).toSay('read-does-not-allow', 'prom');
    expect((await as('dep', 'ps')).err).toSay('deploy-does-not-allow', 'dep');
    expect((await as('dep', 'restart', '-t', '0', 'web')).out).toBe('web\n');
    daemon = await host.must(DAEMON);
    expect((await as('laptop', 'exec', 'web', 'echo', 'yes')).out).toBe('yes\n');
    const unknown = await person.run(['client', 'add', 'other', '--role', 'nothing', '--yes']);
    expect(unknown).toMatchObject({ status: 2 });
    expect(unknown.err).toContain('E_ROLE_UNKNOWN');
    expect((await done('client', 'list')).out).not.toContain('other');
  });

  test('the audit judges the TLS of HAProxy, and names every CA that it accepts, with its clients and their roles', async () => {
    const { result } = JSON.parse((await person.run(['audit', host.name, '--json'])).out);
    const [{ results, access }] = result.subjects;
    const states = new Map(results.map(({ id, state }: { id: string; state: string }) => [id, state]));
    for (const id of ['tls.1', 'tls.2', 'tls.3', 'tls.5', 'tls.8', 'tls.9'])
      expect([id, states.get(id)]).toEqual([id, 'pass']);
    type Way = { who: string; where: string; role?: string };
    const ways: Way[] = access.filter(({ who }: Way) => /^client \S+ of /.test(who));
    expect(ways.map(({ who, role }) => [who.replace(/ [0-9a-f]{8}$/, ''), role]).sort()).toEqual([
      ['client dep of CN=docker-tls', 'deploy'],
      ['client laptop of CN=docker-tls', undefined],
      ['client prom of CN=docker-tls', 'read'],
    ]);
    expect(new Set(ways.map(({ where }) => where))).toEqual(new Set([`${host.address}:2376`]));
  });

  test('a revocation ends the connections of that client within a second, and of no other', async () => {
    await done('client', 'add', 'ops', '--yes');
    const [kept, cut] = [stream('laptop'), stream('ops')];
    await host.must(
      'for left in $(seq 100); do [ "$(ss -Htn state established "( sport = :2376 )" | wc -l)" -lt 2 ] || exit 0; sleep 0.1; done; exit 1',
    );
    // Both are in an old worker then.
    await done('rotate', 'server', host.name, '--yes');
    expect([kept.ended, cut.ended]).toEqual([undefined, undefined]);
    const revoked = await done('client', 'revoke', 'ops', '--yes');
    expect(revoked.out).toSay('revoked-client-rejected', 'ops');
    expect(kept.ended).toBeUndefined();
    expect(cut.ended).toBeDefined();
    kept.stop();
    expect((await as('ops', 'version')).status).not.toBe(0);
    expect((await as('prom', 'ps')).status).toBe(0);
  });

  test('a stopped service and an edited configuration accept nobody else, and apply mends them', async () => {
    await host.must('sed -i "s/verify required/verify none/" /etc/docker/tls/haproxy.cfg');
    const drift = await person.run(['plan', host.name, '--check']);
    expect(drift).toMatchObject({ status: 3 });
    expect(drift.out).toContain('haproxy.cfg');
    await done('apply', host.name, '--yes');
    await host.must('systemctl stop docker-tls-haproxy.service docker-tls.socket');
    expect((await as('laptop', 'version')).status).not.toBe(0);
    await done('apply', host.name, '--yes');
    await host.must('systemctl kill -s KILL docker-tls-haproxy.service');
    expect((await as('laptop', 'version')).status).toBe(0);
    expect(await host.must(DAEMON)).toBe(daemon);
  });

  test('it moves to dockerd and back without a refusal, once no client has a role', async () => {
    const refused = await person.run(['setup', host.name, '--listener', 'dockerd', '--yes']);
    expect(refused).toMatchObject({ status: 2 });
    expect(refused.err).toContain('E_ROLE_DOCKERD');
    await done('client', 'revoke', 'prom', '--yes');
    await done('client', 'revoke', 'dep', '--yes');
    const poller = poll(20);
    await done('setup', host.name, '--listener', 'dockerd', '--yes');
    expect(await host.must('systemctl is-active docker-tls-haproxy.service || :')).toContain('inactive');
    await done('setup', host.name, '--listener', 'haproxy', '--port', '2376', '--yes');
    await poller.stop();
    expect(poller.refusals).toEqual([]);
    expect((await as('laptop', 'ps', '--format', '{{.Names}}')).out).toBe('web\n');
    // A generation has the listener of its time.
    const isActive = 'systemctl is-active docker-tls-haproxy.service || :';
    await done('rollback', host.name, '--yes');
    expect(await host.must(isActive)).toBe('inactive');
    expect((await as('laptop', 'ps', '--format', '{{.Names}}')).out).toBe('web\n');
    const { err } = await person.run(['rollback', host.name, '--yes']);
    await done('rollback', host.name, '--to', /--to (\d+)/.exec(err)?.[1] ?? '', '--yes');
    expect(await host.must(isActive)).toBe('active');
    await done('apply', host.name, '--yes');
  });

  test('a configuration that comes back and that HAProxy refuses does not replace one that serves', async () => {
    await done('rotate', 'server', host.name, '--yes');
    // As of another version of HAProxy.
    const kept = await host.must(
      "cd /var/lib/docker-tls/generations && n=$(ls | sort -n | tail -n 2 | head -n 1) && grep -l '^frontend docker' $n/* | sed 's|^|/var/lib/docker-tls/generations/|'",
    );
    await host.must(`cp -a ${kept} /run/kept && echo '  no-such-keyword' >>${kept}`);
    const pid =
      'systemctl show docker-tls-haproxy -p MainPID; cat /proc/$(systemctl show docker-tls-haproxy -p MainPID --value)/task/*/children';
    const before = await host.must(pid);
    const refused = await person.run(['rollback', host.name, '--yes']);
    expect([refused.status, refused.err]).toEqual([4, expect.toSay('listener-refuses-configuration-get-nothing')]);
    expect(await host.must(pid)).toBe(before);
    await host.must(`mv /run/kept ${kept}`);
    await done('rollback', host.name, '--yes');
    await done('apply', host.name, '--yes');
  });

  test('a socket for containers has its role, and stays the same file while HAProxy restarts', async () => {
    await done('setup', host.name, '--socket', 'ci read', '--socket', 'prom monitor', '--yes');
    await done('setup', host.name, '--socket', 'ci read', '--yes');
    expect(await host.must('ls /run/docker-tls')).toBe('ci.sock');
    const inode = 'stat -c %i,%a,%G /run/docker-tls/ci.sock';
    const before = await host.must(inode);
    expect(before).toMatch(/,660,docker$/);
    await host.must('systemctl restart docker-tls-haproxy.service');
    expect(await host.must(inode)).toBe(before);
    expect(await host.must('docker -H unix:///run/docker-tls/ci.sock ps --format "{{.Names}}"')).toBe('web');
    expect((await host.exec('docker -H unix:///run/docker-tls/ci.sock rm -f web')).err).toSay('socket-role-read', 'ci');
  });

  test('a socket stays the same file and answers while others come, go and get other roles', async () => {
    const ask = 'curl -s -m 20 -o /dev/null -w "%{http_code}" --unix-socket /ci.sock http://d/_ping';
    const loop = `n=0; while :; do n=$((n+1)); s=$(/usr/bin/${ask}); [ "$s" = 200 ] || echo "$n $s" >>/refused; echo $n >/tries.new; mv /tries.new /tries; sleep 0.02; done`;
    const mounts = '-v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro -v /run/docker-tls/ci.sock:/ci.sock';
    await host.container('asker', mounts, `sh -c '${loop}'`);
    const inode = 'stat -c %i /run/docker-tls/ci.sock';
    const before = await host.must(inode);
    for (const name of ['prom', 'ab', 'zz']) await done('socket', 'add', name, host.name, '--role', 'monitor', '--yes');
    await done('socket', 'add', 'zz', host.name, '--role', 'read', '--yes');
    await done('socket', 'remove', 'prom', host.name, '--yes');
    await done('setup', host.name, '--socket', 'ci read', '--socket', 'ab read', '--yes');
    await done('rollback', host.name, '--yes');
    expect(await host.must('ls /run/docker-tls')).toBe('ab.sock\nci.sock\nzz.sock');
    expect(await host.must(inode)).toBe(before);
    const [refused, tries = ''] = (
      await host.must("docker exec asker sh -c \"cat /refused 2>/dev/null | tr '\\n' ' '; echo; cat /tries\"")
    ).split('\n');
    expect(refused).toBe('');
    expect(Number(tries)).toBeGreaterThan(50);
    // Each name is still its own socket, whatever order systemd passes them in.
    const status = (name: string) =>
      host.must(
        `curl -s -m 20 -o /dev/null -w '%{http_code}' --unix-socket /run/docker-tls/${name}.sock http://d/containers/web/json`,
      );
    expect([await status('ab'), await status('ci'), await status('zz')]).toEqual(['403', '200', '200']);
    await host.must('docker rm -f asker');
    await done('setup', host.name, '--socket', 'ci read', '--yes');
    expect(await host.must('ls /run/docker-tls')).toBe('ci.sock');
  });

  test('a socket that cannot listen keeps no client: the revocation cuts it, restarts nothing, and names the cause', async () => {
    await done('client', 'add', 'temp', '--yes');
    await done('client', 'add', 'watch', '--role', 'monitor', '--yes');
    const unit = 'docker-tls-role@ci.socket';
    const open = 'ss -Htn state established "( sport = :2376 )" | wc -l';
    const main = 'systemctl show docker-tls-haproxy.service -p MainPID --value';
    const before = await host.must(main);
    await host.must(`systemctl stop ${unit} && systemctl mask ${unit}`);
    const [kept, cut, limited] = [stream('laptop'), stream('temp'), stream('watch')];
    await host.must(`for left in $(seq 100); do [ "$(${open})" -lt 3 ] || exit 0; sleep 0.1; done; exit 1`);
    const unmask = new RegExp(`systemctl unmask ${unit} && docker-tls apply ${host.name}$`, 'm');
    for (const name of ['temp', 'watch']) {
      const revoked = await done('client', 'revoke', name, '--yes');
      expect(revoked.out + revoked.err).toSay('socket-was-not-active', 'ci');
      expect(revoked.out + revoked.err).toMatch(unmask);
    }
    expect([kept.ended, cut.ended === undefined, limited.ended === undefined]).toEqual([undefined, false, false]);
    await done('rotate', 'server', host.name, '--yes');
    expect(kept.ended).toBeUndefined();
    expect(await host.must(main)).toBe(before);
    expect((await as('temp', 'version')).status).not.toBe(0);
    for (const command of ['status', 'plan']) {
      const said = await person.run([command, ...(command === 'status' ? [] : [host.name])]);
      expect([command, said.out + said.err]).toEqual([command, expect.stringContaining(`${unit} is masked`)]);
    }
    // No start helps it: the host is in sync, and HAProxy is not restarted.
    const same = await done('apply', host.name, '--yes');
    expect(same.out + same.err).toMatch(unmask);
    expect([kept.ended, await host.must(main)]).toEqual([undefined, before]);
    const role = await person.run(['socket', 'add', 'ci', host.name, '--role', 'monitor', '--yes']);
    expect([role.status, role.err]).toEqual([4, expect.toSay('socket-cannot-become-active', 'ci', unit)]);
    await done('socket', 'add', 'new', host.name, '--yes');
    expect(await host.must('ls /run/docker-tls')).toBe('new.sock');
    kept.stop();
    // Docker makes a directory where a container mounts a socket that is not there.
    await host.must(`mkdir /run/docker-tls/ci.sock && touch /run/docker-tls/ci.sock/file && systemctl unmask ${unit}`);
    const other = await person.run(['socket', 'add', 'ci', host.name, '--role', 'monitor', '--yes']);
    expect([other.status, other.err]).toEqual([4, expect.toSay('socket-cannot-become-active', 'ci', 'a directory')]);
    await done('socket', 'remove', 'new', host.name, '--yes');
    await host.must('mv /run/docker-tls/ci.sock /run/docker-tls/ci.sock.old');
    const mended = await done('apply', host.name, '--yes');
    expect(mended.out).toContain('✓ socket ci: accepted');
    expect(await host.must('docker -H unix:///run/docker-tls/ci.sock ps --format "{{.Names}}"')).toBe('web');
    await host.must('rm -r /run/docker-tls/ci.sock.old');
  });

  test('it is there after a reboot, and remove leaves nothing', async () => {
    await done('setup', host.name, '--port', '2399', '--yes');
    await done('rollback', host.name, '--yes');
    await host.reboot();
    await host.must('docker start web');
    expect((await as('laptop', 'ps', '--format', '{{.Names}}')).out).toBe('web\n');
    await done('remove', host.name, '--yes');
    const after = await snapshot(host);
    expect(compare(before, after, /^(container|socket inode)/)).toEqual([]);
    expect(leftovers(after)).toEqual([]);
  });
});

describe('before a rootless Docker', () => {
  let host: LabHost;
  let person: Person;

  beforeAll(async () => {
    [host] = (await labUp({ names: ['hap-rootless'], suite: 'rootless', with: ['haproxy'] })) as [LabHost];
    person = newPerson(program, [host]);
  });
  afterAll(async () => {
    await host?.down();
    person?.remove();
  });

  const { done } = clientCalls(() => ({ host, person, docker }));

  test('nothing runs as root, and a rotation stops no container', async () => {
    await host.must('systemctl disable --now haproxy');
    await host.container('web');
    const state = 'docker -H unix:///run/user/1004/docker.sock inspect -f "{{.State.Pid}} {{.State.StartedAt}}" web';
    const before = await host.must(state);
    await done(...person.setup(host, ['--rootless', '--listener', 'haproxy'], 'rooty'));
    expect(await host.must('ps -o user= -C haproxy | sort -u')).toBe('rooty');
    await done('client', 'add', 'prom', '--role', 'monitor', '--yes');
    await done('rotate', 'server', host.name, '--yes');
    await done('client', 'revoke', 'prom', '--yes');
    expect(await host.must(state)).toBe(before);
    expect((await done('client', 'log', host.name)).out).toContain('prom');
    await done('socket', 'add', 'ci', host.name, '--role', 'read', '--yes');
    const inode = 'stat -c "%i %U" /run/user/1004/docker-tls/ci.sock';
    const socket = await host.must(inode);
    expect(socket).toMatch(/ rooty$/);
    await done('socket', 'add', 'prom', host.name, '--role', 'monitor', '--yes');
    expect(await host.must(inode)).toBe(socket);
    await done('remove', host.name, '--yes');
    expect(await host.must('ls -d /run/user/1004/docker-tls* 2>/dev/null; :')).toBe('');
    expect(await host.must(state)).toBe(before);
    expect(
      await host.must('find ~rooty/.config ~rooty/.local/share -name "*docker-tls*" -not -path "*/docker/*"'),
    ).toBe('');
  });
});
