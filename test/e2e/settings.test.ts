/**
 * Settings of other administrators, on real daemons: each case is a host as it was left, and either it is set up, plans nothing
 * afterwards, and is restored exactly; or what stands against it is said before anything changes.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProgram, finished, type Program } from '../support/cli.ts';
import { compare, leftovers, settled, snapshot } from '../support/host-state.ts';
import { type LabHost, labUp, suites } from '../support/lab.ts';
import { type PausingProgram, pausingProgram } from '../support/pausing.ts';
import { newPerson, type Person } from '../support/person.ts';

const DROP_INS = '/etc/systemd/system/docker.service.d';
const execStart = (line: string): string => `[Service]\nExecStart=\nExecStart=${line}\n`;
const DAEMON = '/usr/sbin/dockerd';
/** A CA and server of the administrator's own, as docker-machine puts them. */
const OWN_CREDENTIALS =
  'cd /etc/docker && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=own -keyout server-key.pem -out ca.pem 2>/dev/null && cp ca.pem server.pem';
const OWN_TLS =
  '--tlsverify --tlscacert /etc/docker/ca.pem --tlscert /etc/docker/server.pem --tlskey /etc/docker/server-key.pem';

type Case = {
  readonly name: string;
  /** Files by path, before the daemon is restarted. */
  readonly files?: Readonly<Record<string, string>>;
  /** Shell, before and after that restart. */
  readonly first?: string;
  readonly later?: string;
  readonly flags?: readonly string[];
  /** What setup says, when it refuses: the code and words. */
  readonly refused?: readonly unknown[];
  /** Words of the plan or the outcome. */
  readonly says?: readonly unknown[];
  /** The TCP address that accepts every client before setup, and after remove: a yes of its own. */
  readonly opens?: string;
  /** Shell that holds once the host is set up. */
  readonly holds?: string;
  /** Shell that takes away what `first` and `later` did. */
  readonly last?: string;
};

/** Another program takes our port. */
const SQUAT = `cat >/root/squat.pl <<'PERL'
my $s = IO::Socket::INET->new(Listen => 1, LocalPort => 2376, ReuseAddr => 1) or die;
sleep 1 while 1;
PERL
systemd-run -q --unit=squatter perl -MIO::Socket::INET /root/squat.pl
until ss -Hltn 'sport = :2376' | grep -q .; do sleep 0.1; done`;

const closed2375 = "! ss -Hltn 'sport = :2375' | grep -q .";

const cases: readonly Case[] = [
  {
    name: "an administrator's override.conf with ExecStart, and a daemon.json with odd indentation",
    files: {
      [`${DROP_INS}/override.conf`]: execStart(`${DAEMON} -H fd:// --log-level=warn`),
      '/etc/docker/daemon.json': '{\n   "shutdown-timeout":20,\r\n\t"debug"  :   true\n ,"labels":["x=y"] }',
    },
    holds:
      "tr '\\0' ' ' </proc/$(pidof dockerd)/cmdline | grep -q -- '--log-level=warn' && docker info -f '{{.Debug}} {{.Labels}}' | grep -q 'true .x=y'",
  },
  {
    name: 'a drop-in that sorts late, with several -H, another socket unit for docker, a configuration file of another name, and a rootless Docker that a user left',
    files: {
      [`${DROP_INS}/zzz.conf`]: execStart(
        `${DAEMON} -H fd:// -H unix:///run/second.sock --label late=yes --config-file=/etc/docker/other.json`,
      ),
      '/etc/docker/other.json': '{ "debug": true }',
      '/etc/systemd/system/extra.socket':
        '[Socket]\nListenStream=/run/extra.sock\nService=docker.service\n[Install]\nWantedBy=sockets.target\n',
      '/home/ops/.config/systemd/user/docker.service': '[Service]\nExecStart=/usr/bin/dockerd-rootless.sh\n',
    },
    first:
      'chown -R ops: /home/ops/.config; systemctl stop docker; systemctl daemon-reload; systemctl start extra.socket',
    says: [expect.toSay('runs-rootless-docker', 'ops')],
    holds: `docker info -f '{{.Debug}} {{.Labels}}' | grep -q 'true .late=yes' && docker -H unix:///run/second.sock version >/dev/null && docker -H unix:///run/extra.sock version >/dev/null`,
    last: 'systemctl stop docker extra.socket; rm -rf /home/ops/.config',
  },
  {
    name: 'harmless $DOCKER_OPTS, and an open port of docker.socket itself',
    files: {
      '/etc/default/docker': '# mine\nDOCKER_OPTS="--debug --label a=b"\n',
      '/etc/systemd/system/docker.socket.d/tcp.conf': '[Socket]\nListenStream=2375\n',
    },
    first: 'systemctl stop docker.service docker.socket; systemctl daemon-reload; systemctl start docker.socket',
    says: [expect.toSay('docker-socket-rejects-connections', '2375')],
    opens: '[::]:2375 (docker.socket)',
    holds:
      "! docker -H tcp://127.0.0.1:2375 version >/dev/null 2>&1 && docker info -f '{{.Debug}} {{.Labels}}' | grep -q 'true .a=b'",
    last: 'systemctl stop docker.service docker.socket',
  },
  {
    name: 'an open port in the second line of $DOCKER_OPTS',
    files: { '/etc/default/docker': 'DOCKER_OPTS="--debug \\\n  -H tcp://0.0.0.0:2375"\n' },
    says: [expect.toSay('closed-answers-every-client', 'tcp://0.0.0.0:2375')],
    opens: 'tcp://0.0.0.0:2375',
    holds: `${closed2375} && docker info -f '{{.Debug}}' | grep -q true`,
  },
  {
    name: 'settings that are links, with an open port by $DOCKER_OPTS',
    files: {
      '/etc/mine/daemon.json': '{ "tls": false, "labels": ["linked=yes"] }',
      '/etc/mine/override.conf': execStart(`${DAEMON} -H fd:// --log-level=warn $DOCKER_OPTS`),
      '/etc/mine/docker': 'DOCKER_OPTS="-H tcp://0.0.0.0:2375 --debug"\n',
    },
    first: `mkdir -p /etc/docker ${DROP_INS}; ln -s ../mine/daemon.json /etc/docker/; ln -s /etc/mine/override.conf ${DROP_INS}/; ln -sf ../mine/docker /etc/default/docker`,
    says: [expect.toSay('closed-answers-every-client', 'tcp://0.0.0.0:2375')],
    opens: 'tcp://0.0.0.0:2375',
    holds: `${closed2375} && docker info -f '{{.Debug}} {{.Labels}}' | grep -q 'true .linked=yes' && [ -L /etc/docker/daemon.json ] && [ -L /etc/default/docker ] && tr '\\0' ' ' </proc/$(pidof dockerd)/cmdline | grep -q -- '--log-level=warn'`,
    last: `rm -rf /etc/mine /etc/docker/daemon.json ${DROP_INS}/override.conf /etc/default/docker`,
  },
  {
    name: 'TLS of its own by $DOCKER_OPTS',
    first: OWN_CREDENTIALS,
    files: { '/etc/default/docker': `DOCKER_OPTS='-H tcp://0.0.0.0:2376 ${OWN_TLS}'\n` },
    flags: ['--accept-ca', 'existing'],
    says: [expect.toSay('tls-settings-daemon-now'), expect.stringMatching(/clients of the CA\s+"own"/)],
    last: 'rm -f /etc/docker/*.pem',
  },
  {
    name: 'hosts in daemon.json, the TCP one open',
    files: {
      '/etc/docker/daemon.json': '{ "hosts": ["unix:///var/run/docker.sock", "tcp://0.0.0.0:2375"] }',
      [`${DROP_INS}/override.conf`]: execStart(DAEMON),
    },
    says: [expect.stringMatching(/2375 is closed/), expect.toSay('refused-about-second')],
    opens: 'tcp://0.0.0.0:2375',
    holds: closed2375,
  },
  {
    name: 'TLS keys in daemon.json and another TLS port that stays',
    first: OWN_CREDENTIALS,
    files: {
      '/etc/docker/daemon.json':
        '{ "tlsverify": true, "tlscacert": "/etc/docker/ca.pem", "tlscert": "/etc/docker/server.pem", "tlskey": "/etc/docker/server-key.pem" }',
      [`${DROP_INS}/override.conf`]: execStart(`${DAEMON} -H fd:// -H tcp://0.0.0.0:2399`),
    },
    flags: ['--reject-other-clients'],
    holds: "ss -Hltn 'sport = :2399' | grep -q .",
    last: 'rm -f /etc/docker/*.pem',
  },
  {
    name: "docker-machine's 10-machine.conf",
    first: OWN_CREDENTIALS,
    files: {
      [`${DROP_INS}/10-machine.conf`]: execStart(
        `${DAEMON} -H tcp://0.0.0.0:2376 -H unix:///var/run/docker.sock --storage-driver overlay2 ${OWN_TLS} --label provider=generic`,
      ),
    },
    flags: ['--accept-ca', 'existing'],
    says: [expect.toSay('tls-settings-daemon-now')],
    holds: "docker info -f '{{.Labels}}' | grep -q provider=generic",
    last: 'rm -f /etc/docker/*.pem',
  },
  {
    name: 'an open port by a flag',
    files: { [`${DROP_INS}/tcp.conf`]: execStart(`${DAEMON} -H fd:// -H tcp://0.0.0.0:2375`) },
    says: [expect.stringMatching(/2375 is closed/)],
    opens: 'tcp://0.0.0.0:2375',
    holds: closed2375,
  },
  {
    name: 'only -H unix://',
    files: { [`${DROP_INS}/unix.conf`]: execStart(`${DAEMON} -H unix:///var/run/docker.sock`) },
    later: 'docker run -d --stop-signal KILL --name ci -v /var/run/docker.sock:/var/run/docker.sock busybox sleep 1d',
    says: [expect.toSay('makes-anew-when-starts', '/var/run/docker.sock', 'ci')],
    last: 'docker rm -f ci',
  },
  {
    name: "docker-ce's unit, and a good setting that is not in force yet",
    first: 'ln -sf /usr/sbin/dockerd /usr/bin/dockerd',
    files: {
      '/etc/systemd/system/docker.service': `[Unit]\nDescription=Docker Application Container Engine\nAfter=network-online.target docker.socket containerd.service\nWants=network-online.target containerd.service\nRequires=docker.socket\nStartLimitBurst=3\nStartLimitIntervalSec=60\n[Service]\nType=notify\nExecStart=/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock\nExecReload=/bin/kill -s HUP $MAINPID\nTimeoutStartSec=0\nRestartSec=2\nRestart=always\nLimitNPROC=infinity\nLimitCORE=infinity\nTasksMax=infinity\nDelegate=yes\nKillMode=process\nOOMScoreAdjust=-500\n[Install]\nWantedBy=multi-user.target\n`,
    },
    later: 'sleep 2; printf \'{ "debug": true }\' >/etc/docker/daemon.json',
    says: [expect.toSay('daemon-json-edited-after')],
    holds:
      "tr '\\0' ' ' </proc/$(pidof dockerd)/cmdline | grep -q '^/usr/bin/dockerd -H fd://' && docker info -f '{{.Debug}}' | grep -q true",
    last: 'rm -f /usr/bin/dockerd /etc/docker/daemon.json',
  },
  {
    name: 'a damaged daemon.json and a firewall: both at once',
    later:
      'printf \'{\\n  "debug": true,\\n  oops\\n}\' >/etc/docker/daemon.json; iptables -A INPUT -p tcp --dport 2376 -j DROP',
    refused: [
      'E_DAEMON_JSON',
      expect.stringMatching(/\/etc\/docker\/daemon\.json:3: not valid JSON/),
      'E_FIREWALL',
      expect.stringMatching(/iptables -I INPUT/),
    ],
    last: 'rm -f /etc/docker/daemon.json; iptables -D INPUT -p tcp --dport 2376 -j DROP',
  },
  {
    name: 'a log driver that the daemon does not have',
    later: 'printf \'{\\n "debug": true,\\n "log-driver": "jsonfile"\\n}\' >/etc/docker/daemon.json',
    refused: ['E_DAEMON_JSON', expect.toSay('daemon-no-log-driver', '/etc/docker/daemon.json:3', '"jsonfile"')],
    last: 'rm -f /etc/docker/daemon.json',
  },
  {
    name: 'a wrong flag that is not in force yet',
    later: 'sleep 2; printf \'DOCKER_OPTS="--no-such-flag"\\n\' >/etc/default/docker',
    refused: [
      'E_SETTINGS_UNREAD',
      expect.stringMatching(/no-such-flag/),
      expect.stringMatching(/--allow-unread-settings/),
    ],
  },
  {
    name: 'a setting in both places',
    files: { [`${DROP_INS}/override.conf`]: execStart(`${DAEMON} -H fd:// --log-level=warn`) },
    later: 'printf \'{\\n "log-level": "warn"\\n}\' >/etc/docker/daemon.json',
    refused: [
      'E_CONFLICT',
      expect.stringMatching(/\/etc\/docker\/daemon\.json:2 and as --log-level in .*override\.conf:3/),
    ],
    last: 'rm -f /etc/docker/daemon.json',
  },
  {
    name: 'TLS flags in a variable of the unit itself',
    files: {
      [`${DROP_INS}/env.conf`]: `[Service]\nEnvironment="DOCKER_OPTS=-H tcp://127.0.0.1:2375"\n${execStart(`${DAEMON} -H fd:// $DOCKER_OPTS`).slice(10)}`,
    },
    refused: ['E_UNIT_VARIABLE', expect.stringMatching(/env\.conf:2: DOCKER_OPTS sets/)],
  },
  {
    name: 'a wrapper script as ExecStart',
    files: {
      '/usr/local/bin/start-docker': `#!/bin/sh\nexec ${DAEMON} "$@"\n`,
      [`${DROP_INS}/wrap.conf`]: execStart('/usr/local/bin/start-docker -H fd://'),
    },
    first: 'chmod 755 /usr/local/bin/start-docker',
    refused: ['E_UNIT_COMMAND', expect.toSay('execstart-does-not-start', 'wrap.conf:3')],
  },
  {
    name: 'a port that is taken',
    later: SQUAT,
    refused: ['E_PORT_TAKEN', expect.toSay('port-taken-perl', '2376')],
    last: 'systemctl stop squatter',
  },
  {
    // systemd gives up a daemon after three starts, and closes its socket: containers that mount it would never get it back.
    name: 'a daemon that refuses its new command line at once, while clients ask it',
    files: {
      '/opt/dockerd': `#!/bin/sh\ncase "$*" in *--validate*|*/proc/docker-tls/*) ;; *tlscacert=/etc/docker/tls*) echo "the wrapper says no" >&2; exit 7 ;; esac\nexec ${DAEMON} "$@"\n`,
      [`${DROP_INS}/opt.conf`]: execStart('/opt/dockerd -H fd://'),
    },
    first: 'chmod 755 /opt/dockerd',
    later: `for one in 1 2 3; do (while [ -e /opt/dockerd ]; do curl -m 20 -s -o /dev/null --unix-socket /run/docker.sock http://host/_ping; sleep 0.1; done) >/dev/null 2>&1 </dev/null & done`,
    refused: ['E_DAEMON_START', expect.toSay('rolled-back-runs-before'), expect.toSay('wrapper-says-no')],
  },
  {
    name: 'a drop-in that systemd has not read: its command line would be lost under ours',
    files: { '/srv/unread.conf': execStart(`${DAEMON} -H fd:// --label unread=yes`) },
    later: `mkdir -p ${DROP_INS} && cp /srv/unread.conf ${DROP_INS}/`,
    refused: ['E_UNIT_UNREAD', expect.toSay('conf-systemd-not-read'), expect.stringMatching(/systemctl daemon-reload/)],
    last: `rm ${DROP_INS}/unread.conf`,
  },
  {
    name: 'a daemon.json that is a mount: nothing could take its place, nor give it back',
    files: { '/srv/mounted.json': '{}\n' },
    first: 'touch /etc/docker/daemon.json && mount --bind /srv/mounted.json /etc/docker/daemon.json',
    refused: ['E_MOUNTED_FILE', expect.toSay('mount-point-docker-tls-cannot', '/etc/docker/daemon.json')],
    last: 'umount /etc/docker/daemon.json && rm -f /etc/docker/daemon.json',
  },
];

let program: Program;
let pausing: PausingProgram;
const hosts: LabHost[] = [];
let person: Person;

beforeAll(async () => {
  program = buildProgram();
  pausing = await pausingProgram();
  hosts.push(...(await Promise.all(suites.map((suite) => labUp({ names: [`set-${suite}`], suite })))).flat());
  person = newPerson(program, hosts);
  await Promise.all(
    hosts.map(async (host) => {
      await host.must('[ ! -e /etc/default/docker ] || cp -a /etc/default/docker /root/default');
      await host.container('web');
      await host.reboot();
      await host.must('docker start web');
    }),
  );
});
afterAll(async () => {
  for (const host of hosts) await host.down();
  program?.remove();
  pausing?.remove();
  person?.remove();
});

async function prepare(host: LabHost, { files = {}, first, later }: Case): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const { exit, err } = await host.exec(`mkdir -p '${path.replace(/\/[^/]*$/, '')}' && cat >'${path}'`, {
      input: text,
    });
    if (exit !== 0) throw new Error(err);
  }
  await host.must(
    `${first ?? ':'}\nsystemctl daemon-reload; systemctl reset-failed docker.service; systemctl restart docker.service || { journalctl -u docker -n 20 --no-pager -o cat; exit 1; }`,
  );
  await host.must(`docker start web >/dev/null; ${later ?? ':'}`);
}

/** The daemon stays stopped: the next case starts it. */
async function restore(host: LabHost, { files = {}, last }: Case): Promise<void> {
  // As a failed try leaves it, which the next one would fail by.
  if ((await host.exec('[ -e /var/lib/docker-tls/state.json ]')).exit === 0)
    await person.run(['remove', host.name, '--allow-plain-tcp', '--yes']);
  await host.must(`${last ?? ':'}\n${Object.keys(files)
    .map((path) => `rm -f '${path}'`)
    .join('\n')}
    rm -f /etc/default/docker; [ ! -e /root/default ] || cp -a /root/default /etc/default/docker
    systemctl daemon-reload; systemctl stop docker.service; systemctl restart docker.socket; systemctl reset-failed docker.service`);
}

const ignored = /^unit(-file)? (squatter|extra)/;

describe('a host as it was left', () => {
  afterAll(() => Promise.all(hosts.map((host) => host.must('systemctl start docker.service; docker start web'))));

  test.each(cases.map((one, index) => ({ ...one, index })))('$name', async (one) => {
    // Cases go round over the three generations.
    const host = hosts[one.index % hosts.length] as LabHost;
    await prepare(host, one);
    try {
      const before = await snapshot(host);
      const planned = one.says ? await person.run(person.setup(host, ['--dry-run', ...(one.flags ?? [])])) : undefined;
      for (const words of one.says ?? []) expect(planned?.out).toEqual(words);
      const { status, out, err } = await person.run(person.setup(host, one.flags));
      if (one.refused) {
        expect(status, out + err).toBeGreaterThan(1);
        for (const words of one.refused)
          expect(err).toEqual(typeof words === 'string' ? expect.stringContaining(words) : words);
        const after = await snapshot(host);
        expect(compare(before, after, ignored)).toEqual([]);
        return;
      }
      expect(status, err).toBe(0);
      await host.must(`docker ps >/dev/null && { ${one.holds ?? 'true'}; }`);
      const check = await person.run(['plan', host.name, '--check']);
      expect(check, check.out + check.err).toMatchObject({ status: 0 });
      // Something else changes: the second generation still fits.
      const second = await person.run(person.setup(host, ['--san', `s${one.index}.example`]));
      expect(second, second.err).toMatchObject({ status: 0 });
      await host.must(`docker ps >/dev/null && { ${one.holds ?? 'true'}; }`);
      const remove = ['remove', host.name, '--yes'];
      if (one.opens !== undefined) {
        const kept = await person.run(remove);
        expect([kept.status, kept.err]).toEqual([4, expect.stringContaining('E_OPENS_PLAIN_TCP')]);
        expect(kept.err).toSay('opens-every-client', one.opens);
        await host.must(`docker ps >/dev/null && { ${one.holds ?? 'true'}; }`);
        const shown = await person.run([...remove, '--dry-run']);
        expect([shown.status, shown.out.replace(/\s+/g, ' ')]).toEqual([
          0,
          expect.stringContaining(`${one.opens} opens again`),
        ]);
      }
      const removed = await person.run([...remove, ...(one.opens ? ['--allow-plain-tcp'] : [])]);
      expect(removed, removed.err).toMatchObject({ status: 0 });
      if (one.opens !== undefined) expect(removed.out).toContain(`${one.opens} opens again`);
      const after = await snapshot(host);
      // Where dockerd makes its own socket, a restart makes another one.
      expect(compare(before, after, /^socket inode/)).toEqual([]);
      expect(leftovers(after)).toEqual([]);
    } finally {
      await restore(host, one);
    }
  });
});

test('a drop-in that was edited by hand is shown as a diff, and apply asks', async () => {
  const host = hosts[1] as LabHost;
  expect(await person.run(person.setup(host))).toMatchObject({ status: 0 });
  await host.must(`sed -i 's/--tlsverify/--tlsverify --debug/' ${DROP_INS}/zz-docker-tls.conf`);
  const plan = await person.run(['plan', host.name, '--check']);
  expect(plan.status).toBe(3);
  expect(plan.out).toSay('edited-hand-since');
  expect(plan.out).toMatch(/^\s+- ?ExecStart=.*--debug/m);
  expect((await person.run(['apply', host.name])).status).toBe(2);
  expect(await person.run(['apply', host.name, '--yes'])).toMatchObject({ status: 0 });
  expect(await person.run(['plan', host.name, '--check'])).toMatchObject({ status: 0 });
  expect(await person.run(['remove', host.name, '--yes'])).toMatchObject({ status: 0 });
});

test('a reload: checked before, and seen to be taken in', async () => {
  const host = hosts[2] as LabHost;
  expect(await person.run(person.setup(host))).toMatchObject({ status: 0 });
  await host.must('mkdir -p /etc/docker; printf \'{ "labels": ["no label"] }\' >/etc/docker/daemon.json');
  const refused = await person.run(person.setup(host, ['--live-restore']));
  expect(refused.status).toBe(4);
  expect(refused.err).toMatch(/E_DAEMON_CONFIG/);
  await host.must('printf \'{ "labels": ["a=label"] }\' >/etc/docker/daemon.json');
  const made = await person.run(person.setup(host, ['--live-restore', '--json']));
  expect(made, made.err).toMatchObject({ status: 0 });
  expect(JSON.parse(made.out).result.hosts?.[0]?.daemon ?? made.out).toMatch(/reload/);
  expect(await host.must("docker info -f '{{.LiveRestoreEnabled}} {{.Labels}}'")).toMatch(/true .a=label/);
  expect(await person.run(['remove', host.name, '--yes'])).toMatchObject({ status: 0 });
  await host.must('rm -f /etc/docker/daemon.json; systemctl restart docker; docker start web');
});

test.each([
  ['docker.service', 'inactive active'],
  ['docker.service docker.socket', 'inactive inactive'],
])('%s not running: as before after remove and after a rollback, and nothing starts it before', async (units, was) => {
  const host = hosts[0] as LabHost;
  const states = async () =>
    (await host.exec('systemctl is-active docker.service docker.socket')).out.trim().replace('\n', ' ');
  await host.must(`docker stop web; systemctl stop ${units}`);
  expect(await person.run(person.setup(host, ['--dry-run']))).toMatchObject({ status: 0 });
  expect(await states()).toBe(was);
  // Nothing answers there, which verification finds after the restart.
  const failed = await person.run(person.setup(host, ['--address', '127.0.0.2']));
  expect([failed.status, await states()]).toEqual([7, was]);
  expect(await person.run(person.setup(host))).toMatchObject({ status: 0 });
  expect(await states()).toBe('active active');
  const removed = await person.run(['remove', host.name, '--yes']);
  expect(removed, removed.err).toMatchObject({ status: 0 });
  expect(await states()).toBe(was);
  await host.must('systemctl start docker.socket; docker start web');
});

test('two operators at once: the second is told who and since when; a stale lock expires', async () => {
  const host = hosts[2] as LabHost;
  await host.must('printf keep >/run/fault-step');
  const first = pausing.start(person.setup(host), person.home);
  const ended = finished(first);
  await host.must('until [ -e /run/fault-at ]; do sleep 0.05; done');
  const other = newPerson(program, hosts);
  const second = await other.run(other.setup(host));
  expect(second.status).toBe(4);
  expect(second.err).toMatch(/E_HOST_LOCKED/);
  expect(second.err).toSay('changing-host-since');
  await host.must(': >/run/fault-go');
  expect((await ended).status).toBe(0);
  await host.must(
    'rm -f /run/fault-*; printf "who=ghost@nowhere\\nsince=1\\nexpires=2\\ntransaction=x\\n" >/run/docker-tls.lock',
  );
  expect(await person.run(person.setup(host, ['--san', 'later.example']))).toMatchObject({ status: 0 });
  expect(await person.run(['remove', host.name, '--yes'])).toMatchObject({ status: 0 });
  other.remove();
});

test('a port that is taken between plan and apply: rolled back at once, with the words of the unit', async () => {
  const host = hosts[0] as LabHost;
  const before = await snapshot(host);
  await host.must('printf keep >/run/fault-step');
  const ended = finished(pausing.start(person.setup(host), person.home));
  await host.must(`until [ -e /run/fault-at ]; do sleep 0.05; done
    ${SQUAT}
    : >/run/fault-go`);
  const { status, err } = await ended;
  expect(status, err).toBe(5);
  expect(err).toMatch(/Address already in use|Failed to (listen|create listening)/);
  await host.must('rm -f /run/fault-*; systemctl stop squatter');
  expect(await settled(host, 60)).toBeDefined();
  expect(compare(before, await snapshot(host), ignored)).toEqual([]);
});

test('swarm mode: said before anything changes; with --containers may-stop it goes ahead', async () => {
  const host = hosts[1] as LabHost;
  await host.must('docker swarm init --advertise-addr 127.0.0.1 >/dev/null');
  const refused = await person.run(person.setup(host));
  expect(refused.status).toBe(4);
  expect(refused.err).toMatch(/E_SWARM/);
  expect(refused.err).toMatch(/would stop: web/);
  expect(await person.run(person.setup(host, ['--containers', 'may-stop']))).toMatchObject({ status: 0 });
  expect(await person.run(['remove', host.name, '--containers', 'may-stop', '--yes'])).toMatchObject({ status: 0 });
  await host.must('docker swarm leave --force >/dev/null; docker start web');
});
