/** Services of the host's own that need docker.service (Requires=, PartOf=, BindsTo=): a change of ours does not leave them stopped. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';

const ALL = ['app', 'compose', 'part', 'bound', 'second'];

let program: Program;
let host: LabHost;
let person: Person;
let before: string;

beforeAll(async () => {
  program = buildProgram();
  [host] = (await labUp({ names: ['dependents-1'] })) as [LabHost];
  person = newPerson(program, [host]);
  const unit = (name: string, needs: string, service: string) =>
    `printf '[Unit]\\n${needs}\\n[Service]\\n${service}\\n' >/etc/systemd/system/${name}.service`;
  const sleeps = 'ExecStart=/bin/sleep infinity';
  await host.must(
    [
      unit('app', 'Requires=docker.service\\nAfter=docker.service', sleeps),
      // As people run `docker compose up -d` and `down`.
      unit(
        'compose',
        'Requires=docker.service\\nAfter=docker.service',
        'Type=oneshot\\nRemainAfterExit=yes\\nExecStart=/bin/true\\nExecStop=/bin/touch /run/compose-down',
      ),
      unit('part', 'PartOf=docker.service', sleeps),
      unit('bound', 'BindsTo=docker.service\\nAfter=docker.service', sleeps),
      unit('second', 'BindsTo=bound.service\\nAfter=bound.service', sleeps),
      unit('rests', 'Requires=docker.service', sleeps),
      // Older packages of docker-ce have it: its socket would be another one after each stop, for containers that mount it as well.
      'mkdir -p /etc/systemd/system/docker.socket.d',
      "printf '[Unit]\\nPartOf=docker.service\\n' >/etc/systemd/system/docker.socket.d/part.conf",
      `systemctl daemon-reload && systemctl start ${ALL.join(' ')}`,
    ].join(' && '),
  );
  before = await undisturbed();
});
afterAll(async () => {
  await host?.down();
  person?.remove();
  program?.remove();
});

/** What does not even notice: by its processes, and by the socket's inode. */
async function undisturbed(): Promise<string> {
  return host.must(
    'systemctl show app compose part -p MainPID -p ActiveState; stat -c %i /run/docker.sock; ls /run/compose*; true',
  );
}

/** Those that end with docker.service are started again, which no step waits for. */
async function expectAllUp(): Promise<void> {
  expect(await undisturbed()).toBe(before);
  await host.must(`tries=0; until systemctl -q is-active bound && systemctl -q is-active second; do
    tries=$((tries + 1)); [ $tries -lt 100 ] || exit 1; sleep 0.1; done`);
  const { out } = await host.exec('systemctl is-active rests');
  expect(out.trim()).toBe('inactive');
}

test('a first setup leaves them running', async () => {
  const run = await person.run(person.setup(host));
  expect(run.status, run.err).toBe(0);
  await expectAllUp();
});

test('a daemon that does not start with the new credentials: they run after the rollback', async () => {
  await host.must(
    `mkdir -p /run/systemd/system/docker.service.d && printf '[Service]\\nExecStartPre=/bin/sh -c "test ! -e /run/once || { rm /run/once; exit 1; }"\\nRestart=no\\n' >/run/systemd/system/docker.service.d/once.conf && systemctl daemon-reload && touch /run/once`,
  );
  const run = await person.run(['rotate', 'server', host.name, '-i', host.keyFile, '--yes']);
  expect(run.status, run.err).toBe(5);
  expect(run.err).toContain('E_DAEMON_START');
  await host.must('rm -r /run/systemd/system/docker.service.d && systemctl daemon-reload');
  await expectAllUp();
});

test('a remove leaves them running', async () => {
  const run = await person.run(['remove', host.name, '-i', host.keyFile, '--yes']);
  expect(run.status, run.err).toBe(0);
  await expectAllUp();
});
