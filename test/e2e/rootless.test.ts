/** A host where only a user runs Docker: nothing of root's is touched, nothing asks for sudo, and the promises that such a host allows are kept. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { resultLine, strikeHosts } from '../support/fault-run.ts';
import { compare, leftovers, snapshot } from '../support/host-state.ts';
import { type LabHost, labUp, type Suite } from '../support/lab.ts';
import { meanOwn } from '../support/own-docker.ts';
import { newPerson, type Person } from '../support/person.ts';
import { startPoller } from '../support/poller.ts';

/** ROOTLESS_SUITE=rootless-sid: the same with Docker 28.5 and systemd 262. */
const suite = (process.env.ROOTLESS_SUITE ?? 'rootless') as Suite;

let program: Program;
let host: LabHost;
let person: Person;

beforeAll(async () => {
  program = buildProgram();
  [host] = (await labUp({ names: [`own-${suite}`], suite })) as [LabHost];
  person = newPerson(program, [host]);
  await meanOwn(host);
});
afterAll(async () => {
  await host?.down();
  person?.remove();
  program?.remove();
});

async function done(...argv: string[]): Promise<string> {
  const result = await person.run(argv);
  expect(result, result.err).toMatchObject({ status: 0 });
  return result.out;
}

test('setup, rotation under a client, revocation, rollback and removal: as the user alone, no client refused, no trace left', async () => {
  const before = await snapshot(host);
  const words = person.setup(host, [], 'rooty');
  // Found by itself, also while it is stopped: rooty may not use sudo, and root's Docker does not run.
  for (const verb of ['stop', 'start']) {
    expect(await host.ssh(`systemctl --user ${verb} docker`, { user: 'rooty' })).toMatchObject({ exit: 0 });
    expect(JSON.parse(await done(...words, '--dry-run', '--json')).result.hosts[0].plan).toMatchObject({
      kind: 'rootless',
      portHolder: 'systemd',
    });
  }
  await done(...words);
  expect((await person.run(words)).err).toContain('nothing to do');
  expect(
    await host.must('stat -c "%a %U" ~rooty/.config/docker/tls/1/server-key.pem ~rooty/.config/docker/tls/1'),
  ).toBe('400 rooty\n700 rooty');
  await done('client', 'add', 'guest', '--yes');
  const poller = startPoller({
    directory: join(person.store, 'clients/laptop'),
    hosts: [{ address: host.address, port: 2376 }],
    everyMs: 50,
    fresh: true,
  });
  await done('rotate', 'server', host.name, '--yes');
  await poller.stop();
  const { tries, refusals, longestMs } = poller;
  console.log(`${tries} connections, ${refusals.length} cut, longest wait ${Math.round(longestMs)} ms`);
  // No port is closed: what was under way as dockerd stopped may be cut, and nothing else.
  expect(refusals.filter((words) => /ECONNREFUSED/.test(words))).toEqual([]);
  expect(refusals.length).toBeLessThan(5);
  expect(await done('client', 'revoke', 'guest', '--yes')).toSay('revoked-client-rejected', 'guest');
  await done('rotate', 'server', host.name, '--yes');
  await done('rollback', host.name, '--yes');
  await done('verify', host.name);
  expect(await done('status', '--check')).toContain('in sync');
  await done('remove', host.name, '--yes');
  const after = await snapshot(host);
  expect(leftovers(after)).toEqual([]);
  expect(compare(before, after)).toEqual([]);
}, 300_000);

test('containers would stop, so a setup that keeps them is refused; the host can make its key, which never leaves it', async () => {
  await host.container('web', '--init --restart=always');
  const words = person.setup(host, [], 'rooty');
  expect(await person.run(words)).toMatchObject({ status: 4, err: expect.stringContaining('error[E_CONTAINERS]') });
  words.push('--containers', 'may-stop', '--keys', 'host');
  // Whoever agrees, or a program, has been told what such a host cannot keep.
  expect(JSON.parse(await done(...words, '--dry-run', '--json')).result.hosts[0].plan.warnings).toEqual([
    expect.stringContaining('stop with it'),
    expect.stringContaining('may be cut'),
  ]);
  await done(...words);
  const current = '~rooty/.config/docker/tls/current/server-key.pem';
  expect(await host.must(`stat -Lc "%a %U" ${current}; ls -d /run/user/*/docker-tls-key-* 2>/dev/null | wc -l`)).toBe(
    '400 rooty\n0',
  );
  expect(existsSync(join(person.store, 'hosts', host.name, 'server-key.pem'))).toBe(false);
  await done('rotate', 'server', host.name, '--containers', 'may-stop', '--yes');
  expect(await host.must('docker ps --format "{{.Names}}"')).toBe('web');
}, 120_000);

test("the user's own services that need the daemon run again after a restart, and the error of a daemon that fails has the lines of their journal", async () => {
  const units = '~rooty/.config/systemd/user';
  await host.must(
    [
      `printf '%s\\n' '[Unit]' 'Requires=docker.service' 'After=docker.service' '[Service]' 'ExecStart=/bin/sleep infinity' >${units}/needs-docker.service`,
      `mkdir -p ${units}/docker.service.d`,
      `printf '%s\\n' '[Service]' "ExecStartPre=/bin/sh -c 'if [ -e /run/fail-once ]; then rm /run/fail-once; exit 1; fi'" >${units}/docker.service.d/fail.conf`,
      `chown -R rooty: ${units} && systemctl daemon-reload && systemctl start needs-docker`,
    ].join('\n'),
  );
  await done('rotate', 'server', host.name, '--containers', 'may-stop', '--yes');
  expect(await host.must('systemctl is-active needs-docker')).toBe('active');
  await host.must('chmod 0777 /run; : >/run/fail-once; chown rooty: /run/fail-once');
  const failed = await person.run(['rotate', 'server', host.name, '--containers', 'may-stop', '--yes']);
  expect(failed).toMatchObject({ status: 5, err: expect.stringContaining('Control process exited') });
  await done('verify', host.name);
  await host.must(
    `systemctl stop needs-docker; rm ${units}/needs-docker.service ${units}/docker.service.d/fail.conf; systemctl daemon-reload`,
  );
}, 120_000);

test('units in ~/.local/share/systemd/user, where ~/.config/systemd is not there: seen, used, and restored', async () => {
  await done('remove', host.name, '--containers', 'may-stop', '--yes');
  await host.must(`docker rm -f web; systemctl stop docker; cd /home/rooty && runuser -u rooty -- mkdir -p .local/share/systemd &&
    mv .config/systemd/user .local/share/systemd/user && rm -r .config/systemd && systemctl daemon-reload && systemctl start docker`);
  const drop = '/home/rooty/.local/share/systemd/user/docker.service.d';
  await host.must(`runuser -u rooty -- mkdir -p ${drop}`);
  const before = await snapshot(host);
  await host.must(`printf '[Service]\nNice=1\n' >${drop}/own.conf`);
  const unread = await person.run(person.setup(host, [], 'rooty'));
  expect(unread, unread.err).toMatchObject({ status: 4, err: expect.stringContaining('error[E_UNIT_UNREAD]') });
  await host.must(`rm ${drop}/own.conf`);
  await done(...person.setup(host, [], 'rooty'));
  await done('remove', host.name, '--yes');
  expect(compare(before, await snapshot(host))).toEqual([]);
  await host.must(
    'systemctl stop docker; cd /home/rooty && runuser -u rooty -- mkdir -p .config/systemd && mv .local/share/systemd/user .config/systemd/user && systemctl daemon-reload && systemctl start docker',
  );
}, 120_000);

test('a user who does not linger does so from the setup on, by their own word, and no longer after a rollback or removal', async () => {
  // By ssh: logind wants to know whose session asks.
  await host.ssh('loginctl disable-linger rooty; systemctl stop user@1004.service');
  const lingers = () => host.must('ls /var/lib/systemd/linger');
  const words = person.setup(host, ['--containers', 'may-stop'], 'rooty');
  const reject = (how: '-I' | '-D') => host.must(`iptables ${how} INPUT -p tcp --dport 2376 -j REJECT`);
  await reject('-I');
  expect(await person.run(words)).toMatchObject({ status: 7 });
  await reject('-D');
  expect(await lingers()).toBe('');
  await done(...words);
  expect(await lingers()).toBe('rooty');
  await done('rotate', 'server', host.name, '--containers', 'may-stop', '--yes');
  await done('rollback', host.name, '--containers', 'may-stop', '--yes');
  expect(await lingers()).toBe('rooty');
  await done('remove', host.name, '--containers', 'may-stop', '--yes');
  expect(await lingers()).toBe('');
}, 120_000);

test('whatever dies in the middle, the host is as it was or as it should be', async () => {
  const results = await strikeHosts(
    [
      {
        name: 'rootless-fault',
        suite,
        faults: [
          { step: 'restart', death: 'controller killed', change: 'first setup' },
          { step: 'switch', death: 'reboot', change: 'rotate' },
        ],
      },
    ],
    (result) => console.log(resultLine(result)),
  );
  expect(results.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(results.map(({ ended }) => ended)).toEqual(['old', 'old']);
}, 600_000);
