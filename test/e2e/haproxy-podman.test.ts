/** HAProxy before Podman, also a Podman that serves no TLS itself: nothing of HAProxy runs as root but its master process, roles hold, all is restored. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { clientCalls } from '../support/client-calls.ts';
import { addSource, REST, SOURCE, withoutHaproxy } from '../support/haproxy-source.ts';
import { compare, type HostSnapshot, leftovers, snapshot } from '../support/host-state.ts';
import { type LabHost, labClient, labUp, type Suite } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';

let program: Program;
let docker: string;
beforeAll(async () => {
  program = buildProgram();
  docker = await labClient();
});
afterAll(() => program?.remove());

const SOCKET = '/run/docker-tls-podman.sock';

describe.each(['podman-trixie', 'podman'] satisfies Suite[])('on %s', (suite) => {
  let host: LabHost;
  let person: Person;
  let before: HostSnapshot;

  beforeAll(async () => {
    [host] = (await labUp({ names: [`hap-${suite}`], suite, with: ['haproxy'] })) as [LabHost];
    person = newPerson(program, [host]);
    await host.container('web');
    before = await snapshot(host);
  });
  afterAll(async () => {
    await host?.down();
    person?.remove();
  });

  const { done, files, as, poll } = clientCalls(() => ({ host, person, docker }));
  /** Status of a request. */
  const ask = async (client: string, path: string, ...words: string[]) => {
    const { ca, cert, key } = files(client);
    const how = [
      '-s',
      '-m',
      '20',
      '--cacert',
      ca,
      '--cert',
      cert,
      '--key',
      key,
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
    ];
    return (await person.call('curl', [...how, ...words, `https://${host.address}:2376${path}`])).out;
  };

  test('a setup, a rotation and a role leave the containers and new connections alone', async () => {
    if (suite === 'podman-trixie') {
      const old = await person.run(person.setup(host));
      expect([old.status, old.err]).toEqual([
        4,
        expect.stringMatching(/E_PODMAN_OLD[\s\S]*--listener haproxy --install/),
      ]);
    }
    const words = person.setup(host, ['--listener', 'haproxy', '--role-rule', 'pods GET /libpod/pods/json']);
    const plan = await done(...words, '--dry-run');
    expect(plan.out.replace(/\s+/g, ' ')).toContain(`the group haproxy may open ${SOCKET}`);
    await done(...words);
    expect((await person.run(words)).err).toContain('nothing to do');
    expect((await as('laptop', 'ps', '--format', '{{.Names}}')).out).toBe('web\n');
    const poller = poll(50);
    const pid = 'systemctl show -p MainPID docker-tls-podman docker-tls-haproxy';
    const serving = await host.must(pid);
    await done('rotate', 'server', host.name, '--yes');
    await done('client', 'add', 'prom', '--role', 'read', '--yes');
    await done('client', 'add', 'pods', '--role', 'pods', '--yes');
    await poller.stop();
    expect(poller.refusals).toEqual([]);
    expect(poller.tries).toBeGreaterThan(20);
    expect(await host.must(pid)).toBe(serving);
    expect((await as('laptop', 'exec', 'web', 'echo', 'yes')).out).toBe('yes\n');
  });

  test('its workers are not root, and no other user may open the socket', async () => {
    expect(await host.must('ps -o user= -C haproxy | sort -u')).toBe('haproxy\nroot');
    expect(await host.must(`stat -c '%a %U %G' ${SOCKET}`)).toBe('660 root haproxy');
    expect((await host.exec(`runuser -u ops -- curl -s -m 5 --unix-socket ${SOCKET} http://d/_ping`)).exit).toBe(7);
    expect(await host.must("ss -Hltn | awk '{ print $4 }' | grep -v ':22$'")).toBe('*:2376');
  });

  test("a role allows Docker's API, and Podman's own only if it names it", async () => {
    expect((await as('prom', 'ps', '--format', '{{.Names}}')).out).toBe('web\n');
    expect((await as('prom', 'rm', '-f', 'web')).err).toContain('client prom has the role read, which does not allow');
    const own = [
      '/v5.0.0/libpod/containers/json',
      '/libpod/info',
      '/v1.41/libpod/containers/json',
      '/v5.0.0/containers/json',
    ];
    for (const path of [...own, '/v1.41/../v5.0.0/libpod/info', '/v1.41//libpod/info', '/v1.41/%6cibpod/info'])
      expect([path, await ask('prom', path, '--path-as-is')]).toEqual([path, '403']);
    // What only Podman's API shows.
    await host.must('printf hush | podman secret create word -');
    expect(await ask('laptop', '/v1.41/secrets/word?showsecret=true')).toBe('200');
    expect(await ask('prom', '/v1.41/secrets/word?showsecret=true')).toBe('403');
    expect(await ask('prom', '/v1.41/secrets')).toBe('200');
    await host.must('podman secret rm word');
    expect(await ask('laptop', '/v5.0.0/libpod/pods/json')).toBe('200');
    expect(await ask('pods', '/v5.0.0/libpod/pods/json')).toBe('200');
    expect(await ask('pods', '/libpod/pods/json')).not.toBe('403');
    expect(await ask('pods', '/v5.0.0/libpod/containers/json')).toBe('403');
    expect(await ask('pods', '/v1.41/containers/json')).toBe('403');
  });

  test('a revoked client, a stopped service and an edited one: refused, seen, and put right', async () => {
    await done('client', 'add', 'guest', '--yes');
    expect((await done('client', 'revoke', 'guest', '--yes')).out).toContain('revoked client guest: rejected');
    expect((await as('guest', 'version')).status).not.toBe(0);
    expect((await done('client', 'log', host.name)).out).toContain('prom');
    expect((await done('doctor', host.name)).out).toContain('all is well');
    await done('verify', host.name);
    await host.must('systemctl stop docker-tls-podman');
    expect((await done('plan', host.name)).out).toContain('docker-tls-podman');
    await done('apply', host.name, '--yes');
    await host.must(`sed -i 's/chgrp haproxy/chgrp ops/' /etc/systemd/system/docker-tls-podman.service`);
    expect((await person.run(['plan', host.name, '--check'])).status).toBe(3);
    await done('apply', host.name, '--yes');
    expect(await host.must(`stat -c %G ${SOCKET}`)).toBe('haproxy');
    expect((await done('status', '--check')).out).toContain('in sync');
  });

  test('a Podman that is killed starts again, and leaves no socket', async () => {
    await host.must('systemctl kill -s KILL --kill-whom=main docker-tls-podman');
    await expect
      .poll(async () => (await as('laptop', 'ps', '--format', '{{.Names}}')).out, { timeout: 20_000 })
      .toBe('web\n');
    await host.must('systemctl kill -s KILL --kill-whom=main docker-tls-podman; systemctl stop docker-tls-podman');
    expect(await host.must(`ls ${SOCKET} 2>/dev/null; :`)).toBe('');
    await done('apply', host.name, '--yes');
  });

  test('a socket for containers has its role; it is all there after a reboot', async () => {
    await done('setup', host.name, '--socket', 'ci monitor', '--yes');
    await host.reboot();
    await host.must('podman start web');
    expect((await as('laptop', 'ps', '--format', '{{.Names}}')).out).toBe('web\n');
    const ci = (path: string) =>
      host.must(`curl -s -m 20 -o /dev/null -w '%{http_code}' --unix-socket /run/docker-tls/ci.sock http://d${path}`);
    expect([await ci('/v1.41/containers/json'), await ci('/v1.41/containers/web/json')]).toEqual(['200', '403']);
    await done('rollback', host.name, '--yes');
    expect(await host.must('ls /run/docker-tls 2>/dev/null; :')).toBe('');
    await done('apply', host.name, '--yes');
  });

  // Podman 5.4 serves no TLS itself.
  if (suite === 'podman')
    test('it moves to Podman itself and back without a refusal', async () => {
      await done('client', 'revoke', 'prom', '--yes');
      await done('client', 'revoke', 'pods', '--yes');
      const poller = poll(50);
      await done('setup', host.name, '--listener', 'dockerd', '--yes');
      expect(await host.must(`systemctl is-active docker-tls-haproxy; ls ${SOCKET} 2>/dev/null; :`)).toBe('inactive');
      await done('setup', host.name, '--listener', 'haproxy', '--yes');
      await done('rollback', host.name, '--yes');
      await done('apply', host.name, '--yes');
      await poller.stop();
      expect(poller.refusals).toEqual([]);
      expect(poller.tries).toBeGreaterThan(20);
    });

  test('remove leaves nothing', async () => {
    await done('remove', host.name, '--yes');
    expect(await host.must(`ls -d /run/docker-tls* 2>/dev/null; :`)).toBe('');
    const after = await snapshot(host);
    expect(leftovers(after)).toEqual([]);
    await expect
      .poll(async () => compare(before, await snapshot(host), /^(container|socket inode)/), { timeout: 30_000 })
      .toEqual([]);
  });

  test('setup installs HAProxy where it is missing, and remove takes it away again', async () => {
    await withoutHaproxy(host);
    await host.must('podman start web');
    before = await snapshot(host);
    const rest = await host.must(REST);
    await addSource(host);
    // With a store of its own.
    const other = newPerson(program, [host]);
    const { done, as } = clientCalls(() => ({ host, person: other, docker }));
    const words = other.setup(host, ['--listener', 'haproxy', '--install']);
    expect((await done(...words, '--dry-run')).out.replace(/\s+/g, ' ')).toMatch(
      /packages +installed first, .*haproxy/,
    );
    await done(...words);
    expect(await host.must('systemctl is-active docker-tls-haproxy haproxy; :')).toBe('active\ninactive');
    expect(await host.must(`stat -c '%a %U %G' ${SOCKET}`)).toBe('660 root haproxy');
    expect((await as('laptop', 'ps', '--format', '{{.Names}}')).out).toBe('web\n');
    await host.reboot();
    await host.must('podman start web');
    expect((await as('laptop', 'ps', '--format', '{{.Names}}')).out).toBe('web\n');
    await done('remove', host.name, '--yes');
    other.remove();
    await host.must(`rm -f ${SOURCE}`);
    expect(await host.must(REST)).toBe(rest);
    const after = await snapshot(host);
    expect(leftovers(after)).toEqual([]);
    expect(compare(before, after, /^(container|socket inode)/)).toEqual([]);
  });
});
