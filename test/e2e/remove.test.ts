/** `remove` gives a host back: compared with what it was before the first setup, at once and after a reboot, on all generations. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { compare, type HostSnapshot, leftovers, snapshot } from '../support/host-state.ts';
import { type LabHost, labUp, suites } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';

/** What a host that is set up has besides. */
const OURS =
  /^(\+ file \/(etc\/docker\/tls\/(8|9|current)|etc\/systemd\/|var\/lib\/docker-tls)|~ daemon words|~ file \/etc\/systemd\/system(\/(docker\.service\.d|sockets\.target\.wants))?:)/;

let program: Program;
beforeAll(() => {
  program = buildProgram();
});
afterAll(() => program?.remove());

describe.each(suites)('on %s', (suite) => {
  let host: LabHost;
  let person: Person;

  beforeAll(async () => {
    [host] = (await labUp({ names: [`rem-${suite}`], suite })) as [LabHost];
    person = newPerson(program, [host]);
    await host.container('web');
    await host.container('api', '--restart=always -v /var/run/docker.sock:/var/run/docker.sock');
    // Settings of the administrator's own, with modes and links that have to come back.
    await host.must(`mkdir -p /etc/docker /etc/cfg && printf '{\\n\\t"log-level" : "warn", "labels": ["mine=yes"]}' >/etc/cfg/daemon.json && chmod 0640 /etc/cfg/daemon.json
      ln -sf ../cfg/daemon.json /etc/docker/daemon.json && mkdir -p /etc/docker/tls/2023-ca /etc/docker/tls/7 && echo mine | tee /etc/docker/tls/2023-ca/ca-key.pem >/etc/docker/tls/7/key
      mkdir -p /etc/systemd/system/docker.service.d
      printf '[Service]\\nEnvironment=ONE=1\\n' >/etc/systemd/system/docker.service.d/override.conf && chmod 0600 /etc/systemd/system/docker.service.d/override.conf
      printf 'DOCKER_OPTS="--debug"\\n' >/etc/default/docker`);
    // Some units of a first boot never run again.
    await host.reboot();
    await host.must('docker start web');
  });
  afterAll(async () => {
    await host?.down();
    person?.remove();
  });

  test('after two generations and a remove nothing differs, and after a reboot neither', async () => {
    const before = await snapshot(host);
    const setUp = async (more: readonly string[]): Promise<HostSnapshot> => {
      const made = await person.run(person.setup(host, more));
      expect(made, made.err).toMatchObject({ status: 0 });
      return snapshot(host);
    };
    // Containers were protected for a moment; nothing of the administrator's own is another than before.
    const first = await setUp([]);
    expect(compare(before, first, /^unit/).filter((line) => !OURS.test(line))).toEqual([]);
    expect(await host.must("docker info -f '{{.Labels}}'")).toContain('mine=yes');
    // Now live-restore stays on: in the file that the link leads to.
    const second = await setUp(['--san', 'second.example', '--live-restore', '--context', 'lab', '--use']);
    expect(
      compare(before, second, /^unit/)
        .filter((line) => !OURS.test(line))
        .map((line) => line.split(': ')[0]),
    ).toEqual(['~ daemon live-restore', '~ file /etc/cfg/daemon.json']);
    const removed = await person.run(['remove', host.name, '--yes']);
    expect(removed, removed.err).toMatchObject({ status: 0 });
    expect(removed.out).toSay('also-removed-docker-contexts', host.name);
    expect(readdirSync(join(person.home, '.docker/contexts/meta'))).toEqual([]);
    const after = await snapshot(host);
    expect(compare(before, after)).toEqual([]);
    expect(leftovers(after)).toEqual([]);
    await host.reboot();
    await host.must('docker start web');
    expect(compare(before, await snapshot(host), /^(container|socket inode)/)).toEqual([]);
    expect(await host.must('systemctl --failed --no-legend')).toBe('');
  });
});
