/**
 * A plan as a Butane file: a host that boots with its files serves mutual TLS at once, and is then a host like every other. Its /usr is mounted
 * read-only, and its unit starts dockerd through env, as on systems that are configured so.
 */

import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootScript, readButane } from '../features/tools/support/ignition.ts';
import { buildProgram, type Program } from '../support/cli.ts';
import { compare, snapshot } from '../support/host-state.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';
import { startPoller } from '../support/poller.ts';

let program: Program;
let host: LabHost;
let person: Person;

beforeAll(async () => {
  program = buildProgram();
  [host] = (await labUp({ names: ['first-boot'] })) as [LabHost];
  person = newPerson(program, [host]);
  // An administrator's own file that docker-tls edits: it has to come back.
  await host.must(
    `mkdir -p /etc/docker && printf '{ "debug": true, "hosts": ["fd://", "tcp://127.0.0.1:2375"] }' >/etc/docker/daemon.json
    mkdir -p /etc/systemd/system/docker.service.d && printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin dockerd $DOCKER_OPTS\\n' >/etc/systemd/system/docker.service.d/own.conf
    printf '%s\\n' '[Unit]' Before=docker.service '[Service]' Type=oneshot RemainAfterExit=yes 'ExecStart=mount --bind /usr /usr' 'ExecStart=mount -o remount,ro,bind /usr' '[Install]' WantedBy=docker.service \
      >/etc/systemd/system/read-only.service && systemctl -q enable read-only`,
  );
  await host.reboot();
  expect(await host.exec('touch /usr/written')).toMatchObject({ exit: 1 });
});
afterAll(async () => {
  await host?.down();
  person?.remove();
  program?.remove();
});

async function done(...argv: readonly string[]): Promise<string> {
  const { status, out, err } = await person.run(argv);
  expect(status, err).toBe(0);
  return out;
}

test('the files of the plan, laid out before a boot, are what setup leaves behind', async () => {
  const before = await snapshot(host);
  await done(...person.setup(host));
  const setUp = await snapshot(host);
  const text = await done('butane', host.name);
  expect(text).not.toContain('-----BEGIN');
  const other = join(person.home, 'other');
  cpSync(person.store, other, { recursive: true });
  await done('remove', host.name, '--allow-plain-tcp', '--yes');

  await host.must(bootScript(readButane(text), other));
  await host.reboot();
  // Nothing but the socket unit has to be up for the first connection.
  expect(await host.must('systemctl is-active docker-tls.socket')).toBe('active');
  await done('--home', other, 'verify', host.name);
  // That list has one directory more, which was there before: it goes only where it is empty.
  expect(compare(setUp, await snapshot(host), /^(unit|socket|daemon words|file .*\/created$)/)).toEqual([]);
  expect(await done('--home', other, 'plan', host.name, '--check')).toMatch(/nothing to do/);
  expect(await done('--home', other, 'setup', `root@${host.address}`, '--name', host.name, '--yes')).toMatch(
    /nothing to do/,
  );
  const poller = startPoller({
    directory: join(other, 'clients/laptop'),
    hosts: [{ address: host.address, port: 2376 }],
    everyMs: 10,
    fresh: true,
  });
  await done('--home', other, 'rotate', 'server', host.name, '--yes');
  await poller.stop();
  expect(poller.refusals).toEqual([]);
  await done('--home', other, 'client', 'add', 'guest', '--yes');
  await done('--home', other, 'client', 'revoke', 'guest', '--yes');
  await done('--home', other, 'rotate', 'server', host.name, '--yes');
  await done('--home', other, 'rollback', host.name, '--yes');
  await done('--home', other, 'verify', host.name);
  await done('--home', other, 'remove', host.name, '--allow-plain-tcp', '--yes');
  expect(compare(before, await snapshot(host), /^(unit|socket)/)).toEqual([]);
});
