/**
 * The port is held for a moment before a daemon stops, by iptables, or by nft where there is no iptables: whatever dies in that moment, it
 * must not stay held.
 */

import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { probe } from '../../src/core/adapters/docker/probe.ts';
import { Secret } from '../../src/core/domain/secret.ts';
import { buildProgram, type Program } from '../support/cli.ts';
import { resultLine, strikeHosts } from '../support/fault-run.ts';
import { compare, type HostSnapshot, leftovers, snapshot } from '../support/host-state.ts';
import { type LabHost, labUp, type Suite } from '../support/lab.ts';
import { withoutIptables } from '../support/nft.ts';
import { newPerson, type Person } from '../support/person.ts';

let program: Program;
beforeAll(() => {
  program = buildProgram();
});
afterAll(() => program?.remove());

type Case = { readonly suite: Suite; readonly rules: string };
describe.each<Case>([
  { suite: 'trixie', rules: 'iptables -S INPUT; ip6tables -S INPUT' },
  { suite: 'sid', rules: 'nft list ruleset' },
])('by `$rules`', ({ suite, rules }) => {
  let host: LabHost;
  let person: Person;
  let before: HostSnapshot;

  beforeAll(async () => {
    [host] = (await labUp({ names: [`held-${suite}`], suite })) as [LabHost];
    person = newPerson(program, [host]);
    if (rules.startsWith('nft')) await withoutIptables(host);
    // The comparison at the end says whether it kept running.
    await host.container('web');
    before = await snapshot(host);
    await done(...person.setup(host, ['--san', '127.0.0.1']));
  });
  afterAll(async () => {
    await host?.down();
    person?.remove();
  });

  async function done(...argv: string[]): Promise<void> {
    const result = await person.run(argv);
    expect(result, result.err).toMatchObject({ status: 0 });
  }
  const credentials = () => join(person.store, 'clients/laptop');

  test('a client in the middle of its handshake is waited for', async () => {
    // Between client and host: byte by byte, so that the handshake is under way when the port is held, until a second after that.
    let patient = true;
    const proxy = createServer((inner) => {
      const outer = connect({ host: host.address, port: 2376, noDelay: true });
      let queue = Buffer.alloc(0);
      inner.on('data', (piece) => {
        queue = Buffer.concat([queue, piece]);
      });
      const drip = setInterval(() => {
        const length = patient ? 1 : queue.length;
        if (length > 0) outer.write(queue.subarray(0, length));
        queue = queue.subarray(length);
      }, 100);
      outer.pipe(inner);
      for (const end of [inner, outer]) end.on('error', () => end.destroy()).on('close', () => clearInterval(drip));
    });
    await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
    const read = (name: string) => readFileSync(join(credentials(), name), 'utf8');
    const knocked = probe({
      address: '127.0.0.1',
      port: (proxy.address() as AddressInfo).port,
      ca: read('ca.pem'),
      credentials: { cert: read('cert.pem'), key: new Secret(read('key.pem')) },
      timeoutMs: 60_000,
    });
    const rotated = person.run(['rotate', 'server', host.name, '--yes']);
    await host.must(`until { ${rules}; } | grep -q docker-tls-hold; do sleep 0.05; done`);
    await new Promise((wake) => setTimeout(wake, 1000));
    patient = false;
    expect(await knocked).toMatchObject({ kind: 'accepted', status: 200 });
    expect(await rotated).toMatchObject({ status: 0 });
    proxy.close();
  });

  test('a change that is killed while it holds the port: the rollback lets it go', async () => {
    // The change asks ss while it holds the port: there it is killed, once.
    await host.must('mv /usr/bin/ss /usr/bin/ss.real');
    const trap = `#!/bin/sh\nif [ -s /var/lib/docker-tls/txn/pid ] && mv /run/strike /run/struck 2>/dev/null; then { ${rules}; } >>/run/struck; kill -9 "$(cat /var/lib/docker-tls/txn/pid)"; fi\nexec /usr/bin/ss.real "$@"\n`;
    await host.exec('cat >/usr/bin/ss && chmod 755 /usr/bin/ss && : >/run/strike', { input: trap });
    const killed = await person.run(['rotate', 'server', host.name, '--yes']);
    expect(await host.must('cat /run/struck')).toContain('docker-tls-hold');
    expect(killed.status, killed.err).toBe(5);
    expect(killed.err).toSay('host-back-previous-state');
    expect(await host.must(rules)).not.toContain('docker-tls-hold');
    await done('plan', '--check');
    await done('verify');
  });

  if (suite === 'sid')
    test('a second setup, a revocation, a rollback and a removal, after which the host is as it was', async () => {
      const again = await person.run(person.setup(host, ['--san', '127.0.0.1']));
      expect(again.err).toContain('nothing to do');
      await done('client', 'add', 'guest', '--yes');
      await done('client', 'revoke', 'guest', '--yes');
      await done('rotate', 'server', host.name, '--yes');
      await done('rollback', host.name, '--yes');
      await done('verify', host.name);
      await host.must('mv /usr/bin/ss.real /usr/bin/ss');
      await done('remove', host.name, '--yes');
      const after = await snapshot(host);
      expect(leftovers(after)).toEqual([]);
      expect(compare(before, after)).toEqual([]);
    });
});

test('without iptables: whatever dies in the middle, the host is as it was or as it should be', async () => {
  const results = await strikeHosts(
    [
      {
        name: 'held-fault',
        suite: 'sid',
        alter: withoutIptables,
        faults: [
          { step: 'restart', death: 'controller killed', change: 'first setup' },
          { step: 'restart', death: 'reboot', change: 'rotate' },
        ],
      },
    ],
    (result) => console.log(resultLine(result)),
  );
  expect(results.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(results).toHaveLength(2);
}, 600_000);
