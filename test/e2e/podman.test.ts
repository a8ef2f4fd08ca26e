/** Hosts where Podman serves the API, and no Docker is: every promise that other hosts have, with the docker command line and podman's as clients. */

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { resultLine, strikeHosts } from '../support/fault-run.ts';
import { compare, leftovers, snapshot } from '../support/host-state.ts';
import { type LabHost, labClient, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';
import { startPoller } from '../support/poller.ts';

let program: Program;
beforeAll(() => {
  program = buildProgram();
});
afterAll(() => program?.remove());

describe('a host of Podman', () => {
  let host: LabHost;
  let person: Person;

  beforeAll(async () => {
    [host] = (await labUp({ names: ['podman-e2e'], suite: 'podman' })) as [LabHost];
    person = newPerson(program, [host]);
    await host.container('web');
  });
  afterAll(async () => {
    await host?.down();
    person?.remove();
  });

  async function done(...argv: string[]): Promise<string> {
    const result = await person.run(argv);
    expect(result, result.err).toMatchObject({ status: 0 });
    return result.out;
  }

  test('setup, rotation under a client, revocation, rollback and removal: no client refused, no container stopped, no trace left', async () => {
    const before = await snapshot(host);
    const words = person.setup(host, [], 'ops');
    expect(JSON.parse(await done(...words, '--dry-run', '--json')).result.hosts[0].plan).toMatchObject({
      kind: 'podman',
      portHolder: 'systemd',
      containers: { effect: 'untouched' },
    });
    expect(compare(before, await snapshot(host))).toEqual([]);
    expect(await done(...words)).toContain('podman system connection add');
    expect((await person.run(words)).err).toContain('nothing to do');
    const docker = await person.call(await labClient(), ['--context', host.name, 'ps', '--format', '{{.Names}}']);
    expect(docker, docker.err).toMatchObject({ status: 0, out: 'web\n' });
    await done('client', 'add', 'guest', '--yes');
    const poller = startPoller({
      directory: join(person.store, 'clients/laptop'),
      hosts: [{ address: host.address, port: 2376 }],
      everyMs: 10,
      fresh: true,
    });
    await done('rotate', 'server', host.name, '--yes');
    await poller.stop();
    console.log(
      `${poller.tries} connections, ${poller.refusals.length} refused, longest ${Math.round(poller.longestMs)} ms`,
    );
    expect(poller.refusals).toEqual([]);
    expect(await done('client', 'revoke', 'guest', '--yes')).toSay('revoked-client-rejected', 'guest');
    await done('rotate', 'server', host.name, '--yes');
    await done('rollback', host.name, '--yes');
    await done('verify', host.name);
    expect(await done('doctor', host.name)).toContain('all is well');
    expect(await done('status')).toContain('in sync');
    await done('remove', host.name, '--yes');
    expect(leftovers(await snapshot(host))).toEqual([]);
    // What was asked on podman.socket started a service that ends after 5 s without a question.
    await expect.poll(async () => compare(before, await snapshot(host)), { timeout: 30_000 }).toEqual([]);
  });

  test("podman's own command line reaches the host by the line that env prints", async () => {
    await done(...person.setup(host));
    const add = (await done('env', host.name, '--format', 'podman'))
      .split('\n')
      .find((line) => line.startsWith('podman '));
    const files = join(person.store, 'clients/laptop');
    // It runs on the host, since this machine has no podman: with the same files, at the same path.
    for (const name of ['ca.pem', 'cert.pem', 'key.pem'])
      await host.must(
        `install -d -m 0700 '${files}'; printf %s '${(await person.call('cat', [join(files, name)])).out}' >'${files}/${name}'`,
      );
    await host.must(add ?? 'false');
    expect(await host.must(`podman --remote --connection ${host.name} ps --format '{{.Names}}'`)).toBe('web');
    await host.must(`podman system connection rm ${host.name}; rm -rf '${person.home}'`);
    await done('remove', host.name, '--yes');
  });

  test('a service that does not start is rolled back at once, with what Podman said', async () => {
    await host.must('mv /usr/bin/podman /usr/bin/podman.real');
    await host.must(
      `printf '%s\\n' '#!/bin/sh' 'case $* in *--tls-client-ca*) echo refused by the test >&2; exit 125 ;; esac' 'exec /usr/bin/podman.real "$@"' >/usr/bin/podman; chmod 755 /usr/bin/podman`,
    );
    const before = await snapshot(host);
    const result = await person.run(person.setup(host));
    expect(result).toMatchObject({ status: 5 });
    expect(result.err).toContain('error[E_DAEMON_START]');
    expect(result.err).toContain('refused by the test');
    expect(compare(before, await snapshot(host))).toEqual([]);
    await host.must('mv /usr/bin/podman.real /usr/bin/podman');
  });

  test('the audit judges the TLS of the service and the containers, and says of the rest that it is about dockerd; hardening leaves dockerd out', async () => {
    await done(...person.setup(host));
    const { result } = JSON.parse((await person.run(['audit', host.name, '--json'])).out);
    const found = new Map<string, { state: string; reason?: string }>(
      result.subjects[0].results.map((one: { id: string }) => [one.id, one]),
    );
    for (const id of ['tls.1', 'tls.2', 'tls.3', '3.9', '3.13'])
      expect(found.get(id), id).toMatchObject({ state: 'pass' });
    expect(found.get('2.7')?.reason).toContain('Podman serves the API');
    // Containers and images are judged as those of Docker are.
    for (const id of ['4.1', '5.13', '5.30'])
      expect(found.get(id), id).toMatchObject({ state: 'finding', evidence: [{ place: 'container web' }] });
    expect(found.get('5.5')?.state).toBe('pass');
    expect(result.subjects[0].score).not.toBeUndefined();
    await done('harden', host.name, '--only', 'kernel-network,icc', '--accept', 'icc', '--yes');
    expect(await host.must('cat /proc/sys/net/ipv4/conf/all/send_redirects')).toBe('0');
    await done('remove', host.name, '--yes');
  });
});

test('whatever dies in the middle, the host is as it was or as it should be', async () => {
  const results = await strikeHosts(
    [
      {
        name: 'podman-fault-1',
        suite: 'podman',
        faults: [
          { step: 'restart', death: 'controller killed', change: 'first setup' },
          { step: 'verify', death: 'reboot', change: 'remove' },
        ],
      },
    ],
    (result) => console.log(resultLine(result)),
  );
  expect(results.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(results.map(({ ended }) => ended)).toEqual(['old', 'old']);
}, 600_000);
