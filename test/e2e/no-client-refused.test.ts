/**
 * Who works while a host is changed: a client that opens a new TLS connection every 10 ms, containers, and a container
 * that asks the daemon over its mounted socket all the time.
 */

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { snapshot } from '../support/host-state.ts';
import { type LabHost, labUp, suites } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';
import { plainHttp } from '../support/plain-http.ts';
import { startPoller } from '../support/poller.ts';

let program: Program;
beforeAll(() => {
  program = buildProgram();
});
afterAll(() => program?.remove());

describe.each(suites)('on %s', (suite) => {
  let host: LabHost;
  let person: Person;

  beforeAll(async () => {
    [host] = (await labUp({ names: [`ncr-${suite}`], suite })) as [LabHost];
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
  afterAll(async () => {
    await host?.down();
    person?.remove();
  });

  async function done(...argv: string[]): Promise<void> {
    const result = await person.run(argv);
    expect(result, result.err).toMatchObject({ status: 0 });
  }

  test('first setup with a busy socket, then changes, a rotation and rollbacks: 0 refused, 0 failed', async () => {
    const state = async () => [...(await snapshot(host))].filter(([name]) => /^(container|socket inode)/.test(name));
    const before = await state();
    await done(...person.setup(host));
    const poller = startPoller({
      directory: join(person.store, 'clients/laptop'),
      hosts: [{ address: host.address, port: 2376 }],
      everyMs: 10,
      fresh: true,
    });
    await done(...person.setup(host, ['--san', 'second.example']));
    await done('rotate', 'server', host.name, '--yes');
    await done('rollback', host.name, '--yes');
    await done('rollback', host.name, '--to', '3', '--yes');
    await poller.stop();
    console.log(
      `${suite}: ${poller.tries} connections, ${poller.refusals.length} refused, longest wait ${Math.round(poller.longestMs)} ms`,
    );
    expect(poller.refusals).toEqual([]);
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

  test('without the drop-in nothing answers, and a connection starts no Docker that was stopped', async () => {
    await done(...person.setup(host));
    const verified = () => done('verify', host.name);
    const reset = 'systemctl reset-failed docker.service docker.socket docker-tls.socket';
    await host.must(`sleep 3; ${reset}; systemctl revert docker.service && systemctl restart docker`);
    expect(await plainHttp(host.address)).toBe('');
    await done('apply', host.name, '--yes');
    // On demand, as by docker.socket.
    await host.must(`${reset}; systemctl stop docker.service`);
    await verified();
    await host.must(`${reset}; systemctl stop docker.service docker.socket`);
    expect(await plainHttp(host.address)).toBe('');
    await host.must('sleep 6; [ "$(systemctl is-active docker docker-tls.socket | uniq)" = inactive ]');
    await host.must(`${reset}; systemctl start docker`);
    await verified();
  });
});
