/** A plan as a Butane file: a host that boots with its files serves mutual TLS at once, and is then a host like every other. */

import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { compare, snapshot } from '../support/host-state.ts';
import { bootScript, readButane } from '../support/ignition.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';

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
    mkdir -p /etc/systemd/system/docker.service.d && printf '[Service]\\nExecStart=\\nExecStart=/usr/sbin/dockerd $DOCKER_OPTS\\n' >/etc/systemd/system/docker.service.d/own.conf`,
  );
  await host.reboot();
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
  const text = await done('plan', host.name, '--format', 'butane');
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
  await done('--home', other, 'rotate', 'server', host.name, '--yes');
  await done('--home', other, 'remove', host.name, '--allow-plain-tcp', '--yes');
  expect(compare(before, await snapshot(host), /^(unit|socket)/)).toEqual([]);
});
