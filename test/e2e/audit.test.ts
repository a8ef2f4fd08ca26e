/** The audit on real hosts of three generations, in each of their states; verdicts as in the golden table. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type AuditFacts, parseAuditFacts } from '../../src/features/audit/domain/audit-facts.ts';
import { type CheckResult, evaluate } from '../../src/features/audit/domain/evaluate.ts';
import { SYSCTL_PATHS } from '../../src/features/audit/domain/sysctls.ts';
import { AUDIT_SCRIPT, ISOLATION_SCRIPT } from '../../src/features/audit/host/audit-scripts.ts';
import { type RecordedName, recordedBytes } from '../features/audit/support/audit-facts.ts';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labRun, labUp, suites } from '../support/lab.ts';

/** With the kernel settings, as the recordings were made. */
const SCRIPT = `SYSCTLS='${SYSCTL_PATHS}'\n${AUDIT_SCRIPT}`;
const STATES = readFileSync(new URL('../features/audit/golden/audit/states.sh', import.meta.url), 'utf8');
const TABLE = readFileSync(new URL('../features/audit/golden/audit/verdicts.txt', import.meta.url), 'utf8');

/** A column of the golden table, by check; without known vulnerabilities where Debian has other packages by now. */
function golden(name: RecordedName, { software }: AuditFacts): ReadonlyMap<string, string> {
  const [head = '', ...rows] = TABLE.trimEnd().split('\n');
  const index = head.split(/\s+/).indexOf(name);
  const cells = rows.map((row) => row.split(/\s+/)).map((row) => [row[0] ?? '', row[index] ?? ''] as const);
  const packages = isRecorded(name, software);
  return new Map(cells.filter(([id]) => packages || !id.startsWith('vuln.')));
}

function isRecorded(name: RecordedName, { packages }: AuditFacts['software']): boolean {
  const recorded = parseAuditFacts(recordedBytes(name)).software.packages;
  return isDeepStrictEqual(
    [...recorded].map(([one, { version }]) => [one, version]),
    [...packages].map(([one, { version }]) => [one, version]),
  );
}

function word({ state, severity, question }: CheckResult): string {
  if (state === 'pass') return 'ok';
  if (state === 'finding') return severity;
  return question === undefined ? '-' : '?';
}

let program: Program;
beforeAll(() => {
  program = buildProgram();
});
afterAll(() => program?.remove());

describe.each(suites)('on %s', (suite) => {
  let host: LabHost;
  beforeAll(async () => {
    [host] = (await labUp({ names: [`audit-${suite}`], suite })) as [LabHost];
  });
  afterAll(async () => {
    await host?.down();
  });

  /** By the lab's own door: the bad state is not made for going on by ssh. */
  async function gather(): Promise<AuditFacts> {
    const run = await labRun(['exec', host.name, 'sh', '-s'], SCRIPT);
    expect(run.exit, run.err).toBe(0);
    return parseAuditFacts(Buffer.from(run.out));
  }

  async function expectVerdicts(state: string): Promise<void> {
    const facts = await gather();
    const name = `${state}-${suite}` as RecordedName;
    const wanted = golden(name, facts);
    const results = evaluate(facts).filter(({ id }) => wanted.has(id));
    expect(new Map(results.map((result) => [result.id, word(result)]))).toEqual(wanted);
  }

  async function become(state: string): Promise<void> {
    const made = await labRun(['exec', host.name, 'sh', '-s', state], STATES);
    expect(made, made.err).toMatchObject({ exit: 0 });
  }

  test('a seccomp profile that allows by default, and bare system paths; what it looks at stays as it was', async () => {
    await host.must('printf \'{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [] }\' >/root/allow.json');
    await host.container('plain');
    await host.container('allows', '--security-opt seccomp=/root/allow.json');
    await host.container('bare', '--security-opt systempaths=unconfined');
    const look =
      'find /etc /var/lib/docker /usr/lib/systemd -xdev -printf "%p %m %U:%G %T@ %s\\n" | sort; docker ps -a --no-trunc --format "{{.ID}} {{.Names}} {{.State}}"';
    const before = await host.must(look);
    const results = new Map(evaluate(await gather()).map((result) => [result.id, result]));
    expect(await host.must(look)).toBe(before);
    expect(results.get('container.2')?.evidence).toMatchObject([{ place: 'container bare' }]);
    expect(results.get('5.22')?.evidence).toContainEqual({
      place: 'container allows',
      text: expect.toSay('call-does-not-name'),
    });
    await host.must('docker rm -f plain allows bare; docker image prune -af; rm /root/allow.json');
  });

  test('fresh, after setup, after harden, restored, and with everything wrong: judged as recorded', async () => {
    await expectVerdicts('fresh');
    const home = mkdtempSync(join(tmpdir(), 'docker-tls-audit-'));
    async function dockerTls(...words: string[]): Promise<void> {
      const done = await program.run(['--home', home, ...words, '--yes'], {
        env: { ...process.env, HOME: home, SSH_AUTH_SOCK: '' },
      });
      expect(done, done.err).toMatchObject({ status: 0 });
    }
    try {
      const ssh = ['-i', host.keyFile, '--host-key', 'accept-new'];
      await dockerTls('setup', `ops@${host.address}`, '--name', host.name, ...ssh, '--no-ca-passphrase');
      await become('web');
      await expectVerdicts('setup');
      await host.must('docker rm -f web');
      await dockerTls('harden', host.name, '--accept', 'icc,userland-proxy,sshd-root,sshd-passwords,docker-group');
      await become('web');
      await expectVerdicts('harden');
      await host.must('docker rm -f web && docker image prune -af');
      await dockerTls('remove', host.name);
      await expectVerdicts('fresh');
    } finally {
      rmSync(home, { recursive: true });
    }
    await become('bad');
    await expectVerdicts('bad');
  });
});

test('a daemon with its socket elsewhere is found by daemon.json; one that hangs is a finding, in the end', async () => {
  const [host] = (await labUp({ names: ['audit-elsewhere'], suite: 'trixie' })) as [LabHost];
  try {
    await host.must(`mkdir -p /etc/systemd/system/docker.service.d /run/elsewhere
      printf '{\n  "hosts": [\n    "unix:///run/elsewhere/docker.sock"\n  ],\n  "data-root": "/var/lib/docker/elsewhere"\n}\n' >/etc/docker/daemon.json
      printf '[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd\n' >/etc/systemd/system/docker.service.d/override.conf
      systemctl daemon-reload; systemctl stop docker docker.socket; rm -f /run/docker.sock
      cp /bin/sleep /tmp/dockerd; /tmp/dockerd 1d </dev/null >/dev/null 2>&1 &
      systemctl start docker`);
    async function look() {
      const run = await labRun(['exec', host.name, 'sh', '-s'], AUDIT_SCRIPT);
      const facts = parseAuditFacts(Buffer.from(run.out));
      return { facts, answers: evaluate(facts).find(({ id }) => id === 'config.5') };
    }
    const there = await look();
    expect(there.answers?.state).toBe('pass');
    expect([there.facts.apiSocket, there.facts.daemon.binary]).toEqual([
      '/run/elsewhere/docker.sock',
      '/usr/sbin/dockerd',
    ]);
    expect(there.facts.files.has('/var/lib/docker/elsewhere')).toBe(true);
    expect(there.facts.files.get('/run/elsewhere/docker.sock')?.kind).toBe('socket');
    await host.must('kill -STOP "$(cat /run/docker.pid)"');
    const hung = await look();
    expect([hung.answers?.state, hung.answers?.severity, hung.facts.apiStatus]).toEqual(['finding', 'critical', 0]);
  } finally {
    await host.down();
  }
});

test('who gets in is asked from outside: TLS without verification, then with it; who gets out, from inside', async () => {
  const [host] = (await labUp({ names: ['audit-doors'], suite: 'trixie' })) as [LabHost];
  const home = mkdtempSync(join(tmpdir(), 'docker-tls-doors-'));
  async function results(...more: string[]): Promise<readonly CheckResult[]> {
    const words = [
      '--home',
      home,
      'audit',
      `ops@${host.address}`,
      '-i',
      host.keyFile,
      '--host-key',
      'accept-new',
      '--json',
      ...more,
    ];
    const { out, err } = await program.run(words, { env: { ...process.env, HOME: home, SSH_AUTH_SOCK: '' } });
    expect(out, err).toContain('"results"');
    return JSON.parse(out).result.subjects[0].results;
  }
  async function states(...ids: string[]): Promise<Record<string, string>> {
    const found = (await results()).filter(({ id }) => ids.includes(id));
    return Object.fromEntries(found.map(({ id, state }) => [id, state]));
  }
  /** What containers of the audit reached: state, and the text of the container. */
  async function tried(): Promise<Record<string, string>> {
    const found = await results('--probe-containers', '--yes');
    const wanted = found.filter(
      ({ id }) => id.startsWith('isolation.') || ['2.2', '2.10', '2.15', '2.18'].includes(id),
    );
    const text = ({ evidence }: CheckResult) => evidence.find(({ place }) => place === 'container of the audit')?.text;
    return Object.fromEntries(wanted.map((one) => [one.id, text(one) ?? one.state]));
  }
  const left = () =>
    host.must(
      'docker ps -aq; docker images -q; docker network ls -q --filter type=custom; ls -d /tmp/tmp.* 2>&-; true',
    );
  async function become(state: string): Promise<void> {
    const made = await labRun(['exec', host.name, 'sh', '-s', state], STATES);
    expect(made, made.err).toMatchObject({ exit: 0 });
  }
  try {
    await host.must(`ip address add 169.254.169.254/32 dev lo
      systemd-run --quiet --collect --unit metadata busybox httpd -f -p 169.254.169.254:80 -h /tmp
      docker network create apart && docker network rm apart && iptables -I DOCKER-USER -j ACCEPT
      systemd-run --quiet --collect --unit open-api systemd-socket-activate -l 172.17.0.1:2375 /usr/lib/systemd/systemd-socket-proxyd /run/docker.sock`);
    expect(await tried()).toEqual({
      '2.2': expect.stringContaining(':4242'),
      '2.10': expect.stringContaining('0 0 4294967295'),
      '2.15': expect.toSay('set-user-id-program-root'),
      '2.18': 'pass',
      'isolation.1': 'pass',
      'isolation.2': expect.stringContaining('(172.17.0.1:'),
      'isolation.3': expect.stringContaining('http://172.17.0.1:2375'),
      'isolation.4': expect.stringContaining('169.254.169.254'),
      'isolation.5': expect.stringContaining(':4242'),
      'isolation.6': expect.stringContaining('ICMP'),
    });
    expect(await left()).toBe('');
    await host.must('systemctl stop open-api metadata && iptables -D DOCKER-USER -j ACCEPT');
    await become('odd');
    const open = await states('tls.1', 'tls.2', 'tls.4', 'tls.7', 'tls.8', '1.1.1', '2.13');
    // TLS 1.1 is refused by every dockerd since 17.06: tls.4 cannot be seen failing on a real one.
    expect(open).toEqual({
      'tls.1': 'finding',
      'tls.2': 'finding',
      'tls.4': 'pass',
      'tls.7': 'finding',
      'tls.8': 'finding',
      '1.1.1': 'finding',
      '2.13': 'pass',
    });
    await become('good');
    const shut = await states('tls.1', 'tls.2', 'tls.4', 'tls.7', 'tls.8', '1.1.1', '2.13');
    expect(shut).toEqual({
      'tls.1': 'pass',
      'tls.2': 'pass',
      'tls.4': 'pass',
      'tls.7': 'pass',
      'tls.8': 'pass',
      '1.1.1': 'pass',
      '2.13': 'finding',
    });
    // Without docker-proxy the bridge routes packets for 127.0.0.0/8: only a packet shows it.
    expect(await tried()).toMatchObject({
      '2.2': 'pass',
      '2.15': 'pass',
      '2.18': 'pass',
      'isolation.1': expect.stringContaining('of the host)'),
      'isolation.3': 'pass',
      'isolation.4': 'pass',
      'isolation.5': 'pass',
    });
    // The form in which systemd names the files of path units (src/features/audit/host/audit/read-back.sh).
    await host.must('systemd-run --quiet --path-property=PathChanged=/etc/docker/daemon.json --unit follows true');
    expect(await host.must("systemctl show '*.path' --property=Paths")).toContain(
      'Paths=/etc/docker/daemon.json (PathChanged)',
    );
    await host.must('systemctl stop follows.path');
    await host.must(`sed -i '1s/{/{ "bridge": "none",/' /etc/docker/daemon.json && systemctl restart docker`);
    expect(await tried()).toMatchObject({
      '2.2': 'not-applicable',
      'isolation.1': 'not-applicable',
      'isolation.2': 'not-applicable',
      'isolation.3': 'not-applicable',
      'isolation.4': 'not-applicable',
      'isolation.5': 'not-applicable',
      'isolation.6': expect.stringContaining('ICMP'),
    });
    await host.must('docker rm -f good && docker network rm mine && docker image prune -af');
    const script = `SOCKET=/run/docker.sock PORTS=\n${ISOLATION_SCRIPT}`;
    // Killed as soon as it has a container.
    const killed = `cat >/run/isolation.sh; sh /run/isolation.sh >/run/isolation.out 2>&1 & for i in $(seq 300); do
      if [ -n "$(docker ps -aq --filter label=docker-tls.probe)" ]; then kill -9 $! && echo killed; break; fi; sleep 0.1; done`;
    expect((await labRun(['exec', host.name, 'sh', '-c', killed], script)).out).toContain('killed');
    await vi.waitFor(async () => expect(await left()).toBe(''), { timeout: 60_000, interval: 500 });
  } finally {
    await host.down();
    rmSync(home, { recursive: true });
  }
});
