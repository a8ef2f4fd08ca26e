/** Hosts whose init runs scripts, sysvinit and OpenRC, the latter with busybox's tools: every promise that hosts of systemd have. */

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SYSTEM_PLACES } from '../../src/core/domain/dockerd/paths.ts';
import type { HostKind } from '../../src/core/domain/plan/host-kind.ts';
import { initKinds } from '../../src/features/init/engine/kinds.ts';
import { buildProgram, type Program } from '../support/cli.ts';
import { resultLine, strikeHosts } from '../support/fault-run.ts';
import { compare, leftovers, snapshot } from '../support/host-state.ts';
import { type LabHost, labUp, type Suite } from '../support/lab.ts';
import { useOpenrcRun } from '../support/openrc-run.ts';
import { newPerson, type Person } from '../support/person.ts';
import { startPoller } from '../support/poller.ts';

let program: Program;
beforeAll(() => {
  program = buildProgram();
});
afterAll(() => program?.remove());

/** Of what the scripts of Debian need, busybox's are in the places of all others. */
const BUSYBOX = `names='base64 cat chgrp chmod chown cmp cp cut date dd df find grep head id ln ls mkdir mv od pidof readlink rm rmdir sed'
  names="$names setsid sha256sum sleep sort stat sync tail timeout touch tr uname wc"
  for name in $names; do busybox ln -sfn /usr/bin/busybox "$(command -v $name)"; done
  cp --help 2>&1 | grep -q BusyBox`;

type Case = { readonly kind: string; readonly suite: Suite; readonly tools?: string; readonly conf?: string };
describe.each<Case>([
  { kind: 'sysvinit', suite: 'sysvinit' },
  { kind: 'openrc', suite: 'openrc', tools: BUSYBOX },
  { kind: 'openrc-run', suite: 'openrc', conf: '# flags of dockerd\nDOCKER_OPTS="--label=of=conf.d" # more to come\n' },
])('on $kind', ({ kind, suite, tools, conf }) => {
  let host: LabHost;
  let person: Person;
  const settings = conf === undefined ? '/etc/default/docker' : '/etc/conf.d/docker';

  beforeAll(async () => {
    [host] = (await labUp({ names: [`init-${kind}`], suite })) as [LabHost];
    person = newPerson(program, [host]);
    if (tools !== undefined) await host.must(tools);
    if (conf !== undefined) await useOpenrcRun(host, conf);
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
      kind: suite,
      portHolder: 'firewall',
    });
    await done(...words);
    expect((await person.run(words)).err).toContain('nothing to do');
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
      `${suite}: ${poller.tries} connections, ${poller.refusals.length} refused, longest wait ${Math.round(poller.longestMs)} ms`,
    );
    expect(poller.refusals).toEqual([]);
    expect(await host.must('iptables -S INPUT')).not.toContain('docker-tls-hold');
    expect(await done('client', 'revoke', 'guest', '--yes')).toSay('revoked-client-rejected', 'guest');
    await done('rotate', 'server', host.name, '--yes');
    await done('rollback', host.name, '--yes');
    await done('verify', host.name);
    await done('remove', host.name, '--yes');
    const after = await snapshot(host);
    expect(leftovers(after)).toEqual([]);
    expect(compare(before, after)).toEqual([]);
  });

  test('settings that only a shell can read are refused, and nothing is changed', async () => {
    await host.must(`cp -a ${settings} /root/kept; echo 'DOCKER_OPTS="$(cat /root/flags)"' >>${settings}`);
    const result = await person.run(person.setup(host));
    expect(result.err).toContain('error[E_UNIT_VARIABLE]');
    expect(await host.exec('ls /etc/docker/tls')).not.toMatchObject({ exit: 0 });
    await host.must(`cp -a /root/kept ${settings}`);
  });

  test('the commands of hints bring up a daemon that is down, and one that runs anew', async () => {
    const kind = initKinds.kinds.find(({ name }) => name === suite)?.about(SYSTEM_PLACES);
    const { bringUp, restart, commands } = kind as HostKind;
    const answers =
      'tries=0; until docker version >/dev/null 2>&1; do sleep 0.1; tries=$((tries + 1)); [ $tries -lt 300 ] || exit 1; done';
    for (const text of [bringUp.map((words) => words.join(' ')).join('; '), restart]) {
      await host.must(`${commands.stop.join(' ')}; ! docker version >/dev/null 2>&1; ${text}; ${answers}`);
    }
    await host.must(`${restart}; ${answers}`);
  });

  if (conf !== undefined)
    test('a daemon that does not start with TLS: its supervisor starts it no more, and the one of before is under its script', async () => {
      await host.must(
        `printf '#!/bin/sh\ncase "$*" in *--tlsverify*) exit 1 ;; esac\nexec /usr/sbin/dockerd "$@"\n' >/root/dockerd; chmod 755 /root/dockerd
           echo DOCKERD_BINARY=/root/dockerd >>${settings}; rc-service docker restart; until docker version >/dev/null 2>&1; do sleep 0.1; done`,
      );
      const before = await snapshot(host);
      const failed = await person.run(person.setup(host));
      expect(failed, failed.err).toMatchObject({ status: 5, err: expect.stringContaining('error[E_DAEMON_START]') });
      expect(compare(before, await snapshot(host), /^container/)).toEqual([]);
      await host.must(
        'rc-service docker status && rc-service docker stop && ! pidof dockerd && ! pidof supervise-daemon',
      );
    });
});

test('whatever dies in the middle, the host is as it was or as it should be', async () => {
  const results = await strikeHosts(
    [
      {
        name: 'init-fault-1',
        suite: 'sysvinit',
        faults: [
          { step: 'restart', death: 'controller killed', change: 'first setup' },
          { step: 'switch', death: 'reboot', change: 'setup' },
        ],
      },
      {
        name: 'init-fault-2',
        suite: 'openrc',
        faults: [{ step: 'switch', death: 'reboot', change: 'setup' }],
      },
      {
        name: 'init-fault-3',
        suite: 'openrc',
        alter: (host) => useOpenrcRun(host, 'DOCKER_OPTS=""\n'),
        faults: [
          { step: 'restart', death: 'controller killed', change: 'first setup' },
          { step: 'switch', death: 'reboot', change: 'rotate' },
        ],
      },
    ],
    (result) => console.log(resultLine(result)),
  );
  expect(results.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(results.map(({ ended }) => ended)).toEqual(results.map(() => 'old'));
}, 600_000);
