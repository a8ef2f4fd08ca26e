/** What people do by hand to a host that docker-tls looks after: deleting its credentials, moving or uninstalling Docker, a link as its directory. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';

let program: Program;
let host: LabHost;
let person: Person;

beforeAll(async () => {
  program = buildProgram();
  [host] = (await labUp({ names: ['by-hand-1'] })) as [LabHost];
  person = newPerson(program, [host]);
  await host.must('mkdir /srv/records && ln -s /srv/records /var/lib/docker-tls');
});
afterAll(async () => {
  await host?.down();
  person?.remove();
  program?.remove();
});

async function setUp(): Promise<void> {
  const run = await person.run(person.setup(host));
  expect(run.status, run.err).toBe(0);
}

async function remove(): Promise<void> {
  const run = await person.run(['remove', host.name, '-i', host.keyFile, '--yes']);
  expect(run.status, run.err).toBe(0);
  expect(await host.must("find / -xdev -name '*docker-tls*' -not -path '/proc/*'")).toBe('/var/lib/docker-tls');
  expect(await host.must('readlink /var/lib/docker-tls; ls -A /srv/records /etc/docker; ss -Hltn sport = :2376')).toBe(
    '/srv/records\n/etc/docker:\n\n/srv/records:',
  );
}

/** Until systemd has given it up. */
const FAILS =
  'systemctl restart docker.service; until systemctl -q is-failed docker.service; do sleep 0.2; done; systemctl is-failed docker.service';

test('a host without flock is told so, and not that another run is at work', async () => {
  await host.must('mv /usr/bin/flock /usr/bin/flock.away');
  const run = await person.run(person.setup(host));
  await host.must('mv /usr/bin/flock.away /usr/bin/flock');
  expect(run.status).toBe(4);
  expect(run.err).toSay('no-program', 'E_HOST_PROGRAM', 'flock', 'apt-get install -y --reinstall util-linux');
});

test('credentials deleted by hand, and a daemon that does not start without them: setup puts new ones there', async () => {
  await setUp();
  await host.must(`rm -r /etc/docker/tls; ${FAILS}`);
  await setUp();
});

test('the same, and remove: the daemon runs again', async () => {
  await host.must(`rm -r /etc/docker/tls; ${FAILS}`);
  await remove();
  await host.must('systemctl is-active docker.service && docker ps');
});

test('dockerd lies elsewhere after an upgrade: plan shows it, setup follows', async () => {
  await setUp();
  const move = (from: string, to: string) =>
    `mv /usr/${from}/dockerd /usr/${to}/dockerd && sed -i s,/usr/${from}/dockerd,/usr/${to}/dockerd, /usr/lib/systemd/system/docker.service && systemctl daemon-reload`;
  await host.must(`${move('sbin', 'bin')}; ${FAILS}`);
  const plan = await person.run(['plan', host.name, '-i', host.keyFile]);
  expect(plan.out).toContain('+ExecStart=/usr/bin/dockerd');
  await setUp();
  await host.must(`${move('bin', 'sbin')}; ${FAILS}`);
  await remove();
  await host.must('docker ps');
});

test('our drop-in deleted by hand: the port is not open to every client after a boot, and setup opens it again', async () => {
  await setUp();
  await host.must('rm /etc/systemd/system/docker.service.d/zz-docker-tls.conf');
  await host.reboot();
  await host.must('docker ps');
  expect(await host.must('ss -Hltn sport = :2376')).toBe('');
  await setUp();
  await host.reboot();
  await host.must('docker ps');
  expect(await host.must('ss -Hltn sport = :2376')).toContain(':2376');
  await remove();
});

test('our records deleted by hand: setup writes new ones, and remove takes everything away', async () => {
  await setUp();
  await host.must('rm -r /srv/records/*');
  const lost = await person.run(['remove', host.name, '-i', host.keyFile, '--yes']);
  expect(lost.status).toBe(2);
  expect(lost.err).toSay('gone-but-files-docker-tls');
  await setUp();
  const again = await person.run(['plan', host.name, '-i', host.keyFile, '--check']);
  expect(again.status, again.out).toBe(0);
  await remove();
});

test('Docker is uninstalled first: remove takes away what is left', async () => {
  await setUp();
  await host.must(
    'systemctl stop docker.service docker.socket; mkdir /srv/away; mv /usr/sbin/dockerd /usr/lib/systemd/system/docker.service /usr/lib/systemd/system/docker.socket /srv/away; systemctl daemon-reload',
  );
  await remove();
});
