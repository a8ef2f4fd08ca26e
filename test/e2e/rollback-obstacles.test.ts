/**
 * What a rollback must not depend on: `systemctl reload docker`, an answer on docker.sock, a dockerd that could start again, a systemd that
 * reads unit files. Known before anything changes; and where it comes up in the middle of a change, the files are as they were all the
 * same, and the daemon and its containers run.
 */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { newPerson, type Person, snapshotHost } from '../support/person.ts';

type Obstacle = {
  readonly make: string;
  readonly unmake: string;
  /** What a setup says that finds it; absent: it works all the same. */
  readonly refused?: readonly [code: string, words: unknown];
  /** It cannot come up in the middle of a change. */
  readonly onlyBefore?: true;
  /** The daemon cannot be restarted: it runs on, or stays down, and the words say so. */
  readonly leftRunning?: unknown;
  readonly leftDown?: unknown;
};

const DROP_INS = '/etc/systemd/system/docker.service.d';
const unit = (text: string): string =>
  `mkdir -p ${DROP_INS} && printf '[Service]\\n${text}' >${DROP_INS}/own.conf && systemctl daemon-reload`;
const NO_UNIT = `rm -r ${DROP_INS} && systemctl daemon-reload`;
const listens = (hosts: string): string =>
  `${unit('ExecStart=\\nExecStart=/usr/sbin/dockerd\\n')} && printf '{ "live-restore": true, "hosts": ["${hosts}"] }' >/etc/docker/daemon.json && systemctl restart docker`;
const NO_LISTENS = `rm -r ${DROP_INS} /etc/docker/daemon.json && systemctl daemon-reload && systemctl restart docker && docker start web`;
const away = (path: string): Pick<Obstacle, 'make' | 'unmake'> => ({
  make: `mv ${path} ${path}.away`,
  unmake: `mv ${path}.away ${path}`,
});
const SMALL_RUN = 'mount -o remount,size=10M /run';
const LARGE_RUN = 'mount -o remount,size=64M /run';

const OBSTACLES: Readonly<Record<string, Obstacle>> = {
  'an emptied ExecReload=': { make: unit('ExecReload=\\n'), unmake: NO_UNIT },
  'no /bin/kill': away('/usr/bin/kill'),
  'a kill that fails, as that of procps in a Turkish locale': {
    make: `mv /usr/bin/kill /usr/bin/kill.away && printf '#!/bin/sh\\nexit 1\\n' >/usr/bin/kill && chmod 755 /usr/bin/kill`,
    unmake: 'mv /usr/bin/kill.away /usr/bin/kill',
  },
  'no unix socket': {
    make: listens('tcp://127.0.0.1:2375'),
    unmake: NO_LISTENS,
    refused: ['E_DOCKER_SILENT', expect.toSay('listens-no-unix-socket')],
    onlyBefore: true,
  },
  'another unix socket': { make: listens('unix:///run/other.sock'), unmake: NO_LISTENS, onlyBefore: true },
  'a deleted docker.sock': {
    make: 'rm /run/docker.sock',
    unmake: 'systemctl stop docker && systemctl restart docker.socket && systemctl start docker && docker start web',
    refused: ['E_DOCKER_SILENT', expect.toSay('socket-file-missing')],
  },
  'no iptables': {
    ...away('/usr/sbin/iptables'),
    refused: ['E_UNIT_NEEDS', expect.toSay('dockerd-does-not-start')],
    leftRunning: expect.toSay('could-not-start-again', '/usr/sbin/iptables'),
  },
  'no iptables, and a daemon that is down': {
    make: 'mv /usr/sbin/iptables /usr/sbin/iptables.away; systemctl stop docker.service 2>/dev/null',
    unmake:
      'mv /usr/sbin/iptables.away /usr/sbin/iptables; systemctl reset-failed docker; systemctl restart docker; docker start web',
    refused: ['E_UNIT_NEEDS', expect.toSay('dockerd-does-not-start')],
    leftDown: expect.toSay(
      'docker-service-down-cannot',
      '/usr/sbin/iptables',
      'systemctl daemon-reload && systemctl restart docker.service',
    ),
  },
  'no runc': {
    ...away('/usr/sbin/runc'),
    refused: ['E_UNIT_NEEDS', expect.toSay('dockerd-does-not-start-without')],
    leftRunning: expect.stringMatching(/\/usr\/sbin\/runc is missing/),
  },
  'little room on /run': {
    make: SMALL_RUN,
    unmake: LARGE_RUN,
    refused: ['E_DISK_FULL', expect.toSay('systemd-reads-no-unit', '/run')],
  },
  'little room on /run, and no way to make some': {
    make: `${SMALL_RUN}; printf '#!/bin/sh\\nexit 1\\n' >/usr/sbin/mount; chmod 755 /usr/sbin/mount`,
    unmake: `rm /usr/sbin/mount; ${LARGE_RUN}`,
    refused: ['E_DISK_FULL', expect.stringMatching(/free on \/run/)],
    leftRunning: expect.toSay('units-not-read', '16M'),
  },
};

let program: Program;
let host: LabHost;
let person: Person;
beforeAll(async () => {
  program = buildProgram();
  [host] = (await labUp({ names: ['obstacles'] })) as [LabHost];
  person = newPerson(program, [host]);
  await host.container('web');
  // The table starts it more often than systemd allows.
  await host.must(
    "mkdir -p /run/systemd/system/docker.service.d && printf '[Unit]\\nStartLimitIntervalSec=0\\n' >/run/systemd/system/docker.service.d/limit.conf && systemctl daemon-reload",
  );
  // As if it was edited since the daemon started: so nothing is verified before the restart is over, and there is time to stop the run.
  await host.must("touch -d 'next year' /etc/default/docker");
});
afterAll(async () => {
  await host?.down();
  person?.remove();
  program?.remove();
});

/** Without the inode of docker.sock: one of the obstacles makes it anew. */
const files = async (): Promise<string> =>
  (await snapshotHost(host, { daemon: false })).replace(/\n\d+ (\S+ \S+)$/, '\n$1');
/** The container's process, and no other sleep, such as that of a waiting script. */
const WEB = "pgrep -fx 'sleep 1d'";
const container = (): Promise<string> => host.must(WEB);

/** What systemd makes of files that are back takes effect with the next restart. */
async function restart(): Promise<void> {
  await host.must(
    'systemctl daemon-reload; systemctl stop docker-tls.socket; systemctl restart docker; docker start web',
  );
}

describe.each(Object.entries(OBSTACLES))('%s', (_, { make, unmake, refused, onlyBefore, leftRunning, leftDown }) => {
  let bare: string;
  let made = false;
  async function begin(): Promise<void> {
    await host.must(make);
    made = true;
  }
  async function end(): Promise<void> {
    made = false;
    await host.must(unmake);
    await host.must('systemctl is-active docker');
  }
  beforeEach(async () => {
    bare = await files();
  });
  afterEach(async () => {
    if (made) await end();
    await host.exec('[ ! -e /var/lib/docker-tls/txn ] || sh /var/lib/docker-tls/txn/rollback.sh undo requested');
  });

  test(`found before a change: ${refused === undefined ? 'it works' : 'it says so and changes nothing'}`, async () => {
    await begin();
    const before = await files();
    const web = await host.exec(WEB);
    const run = await person.run(person.setup(host));
    expect(run, run.err).toMatchObject({ status: refused === undefined ? 0 : 4 });
    expect((await host.exec(WEB)).out).toBe(web.out);
    if (refused === undefined) {
      const back = await person.run(['remove', host.name, '-i', host.keyFile, '--yes']);
      expect(back, back.err).toMatchObject({ status: 0 });
    } else {
      const words = run.err.replace(/\s+/g, ' ');
      expect(words).toContain(`error[${refused[0]}]`);
      expect(words).toEqual(refused[1]);
      expect(words).toMatch(/hint: .*ssh /);
    }
    expect(await files()).toBe(before);
    await end();
  });

  if (onlyBefore) return;
  test('come up between change and rollback: files and daemon are back', async () => {
    const web = await container();
    const child = program.start(person.setup(host, ['-v']), {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: person.home,
      env: person.env,
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    let words = '';
    let stopped = false;
    await new Promise<void>((resolve, reject) => {
      child.stderr?.on('data', (chunk: Buffer) => {
        words += chunk.toString();
        if (stopped || !words.includes(': verify')) return;
        stopped = child.kill('SIGSTOP');
        resolve();
      });
      child.once('close', () => reject(new Error(`it ended: ${words}`)));
    });
    expect(await host.must('ls /var/lib/docker-tls')).toBe('txn');
    await begin();
    child.kill('SIGINT');
    child.kill('SIGCONT');
    expect(await ended, words).toBe(130);
    expect(await container()).toBe(web);
    await host.must(
      `${leftDown ? '!' : ''} systemctl -q is-active docker && ! ls /var/lib/docker-tls /etc/docker/tls 2>/dev/null`,
    );
    const said = words.replace(/\s+/g, ' ');
    const left = leftRunning ?? leftDown;
    if (left === undefined) expect(said).toSay('interrupted-host-back-previous');
    else {
      expect(said).toSay('host-files-restored-but');
      expect(said).toEqual(left);
    }
    await end();
    if (left !== undefined) await restart();
    expect(await files()).toBe(bare);
  });
});
