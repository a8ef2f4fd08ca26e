/**
 * Who works while a host is changed: a client that opens a new TLS connection every 10 ms, containers, and a container
 * that asks the daemon over its mounted socket all the time.
 */

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { snapshot } from '../support/host-state.ts';
import { type LabHost, labUp, suites } from '../support/lab.ts';
import { withoutIptables } from '../support/nft.ts';
import { newPerson, type Person } from '../support/person.ts';
import { type Poller, startPoller } from '../support/poller.ts';

let program: Program;
/** Booted together: nothing else runs beside these tests. */
const hosts = new Map<string, LabHost>();
beforeAll(async () => {
  program = buildProgram();
  const wanted = [
    ...suites.map((suite) => ({ name: `ncr-${suite}`, suite })),
    { name: 'ncr-nft', suite: 'sid' as const },
  ];
  await Promise.all(
    wanted.map(async ({ name, suite }) => hosts.set(name, (await labUp({ names: [name], suite }))[0] as LabHost)),
  );
});
afterAll(async () => {
  for (const host of hosts.values()) await host.down();
  program?.remove();
});

async function succeed(person: Person, argv: readonly string[]): Promise<void> {
  const result = await person.run(argv);
  expect(result, result.err).toMatchObject({ status: 0 });
}

function poll(host: LabHost, person: Person): Poller {
  const at = [{ address: host.address, port: 2376 }];
  return startPoller({ directory: join(person.store, 'clients/laptop'), hosts: at, everyMs: 10, fresh: true });
}

function expectServed(where: string, { tries, refusals, longestMs }: Poller): void {
  console.log(`${where}: ${tries} connections, ${refusals.length} refused, longest wait ${Math.round(longestMs)} ms`);
  expect(refusals).toEqual([]);
}

describe.each(suites)('on %s', (suite) => {
  let host: LabHost;
  let person: Person;

  beforeAll(async () => {
    host = hosts.get(`ncr-${suite}`) as LabHost;
    person = newPerson(program, [host]);
    await host.container('web');
    // Perl of the host, since busybox knows no unix sockets; a line for each answer and each failure.
    await host.must(`cat >/root/ask.pl <<'PERL'
$| = 1;
while (1) {
  my $answer = "";
  my $s = IO::Socket::UNIX->new(Peer => "/var/run/docker.sock");
  if ($s) { print $s "GET /_ping HTTP/1.0\r\nHost: d\r\n\r\n"; local $/; $answer = <$s>; }
  print $answer =~ /OK$/ ? "yes\n" : $s ? "cut\n" : "refused\n";
  select(undef, undef, undef, 0.02);
}
PERL`);
    await host.container(
      'sock',
      '-v /var/run/docker.sock:/var/run/docker.sock -v /usr:/usr:ro -v /root/ask.pl:/ask.pl:ro',
      '/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 --library-path /usr/lib/x86_64-linux-gnu /usr/bin/perl -MIO::Socket::UNIX /ask.pl',
    );
  });
  afterAll(() => person?.remove());
  const done = (...argv: string[]) => succeed(person, argv);

  test('first setup with a busy socket, then changes, a rotation and rollbacks: 0 refused, 0 failed', async () => {
    const state = async () => [...(await snapshot(host))].filter(([name]) => /^(container|socket inode)/.test(name));
    const before = await state();
    await done(...person.setup(host));
    const poller = poll(host, person);
    await done(...person.setup(host, ['--san', 'second.example']));
    await done('rotate', 'server', host.name, '--yes');
    await done('rollback', host.name, '--yes');
    await done('rollback', host.name, '--to', '3', '--yes');
    await poller.stop();
    expectServed(suite, poller);
    expect(poller.tries).toBeGreaterThan(100);
    await done('remove', host.name, '--yes');
    expect(await state()).toEqual(before);
    const answers = (await host.must('docker logs sock')).split('\n');
    console.log(`${suite}: the mounted socket answered ${answers.filter((line) => line === 'yes').length} times`);
    expect(answers.filter((line) => line === 'refused')).toEqual([]);
    // dockerd does not wait for a request that it has just accepted when it is stopped; nothing of ours holds the local socket.
    expect(answers.filter((line) => line === 'cut').length).toBeLessThanOrEqual(1);
    expect(answers.length).toBeGreaterThan(50);
  });
});

test('where nft holds the port: 0 refused over two rotations', async () => {
  const host = hosts.get('ncr-nft') as LabHost;
  await withoutIptables(host);
  const person = newPerson(program, [host]);
  await succeed(person, person.setup(host, ['--san', '127.0.0.1']));
  const poller = poll(host, person);
  await succeed(person, ['rotate', 'server', host.name, '--yes']);
  await succeed(person, ['rotate', 'server', host.name, '--yes']);
  await poller.stop();
  expectServed('nft', poller);
  expect(await host.must('nft list ruleset')).not.toContain('docker-tls-hold');
  person.remove();
});
