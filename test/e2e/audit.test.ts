/** The audit on real hosts of three generations: fresh, and with everything wrong; verdicts as in the golden table. */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CheckResult, evaluate } from '../../src/audit/evaluate.ts';
import { AUDIT_SCRIPT, type AuditFacts, parseAuditFacts } from '../../src/audit/facts.ts';
import { type LabHost, labRun, labUp, suites } from '../support/lab.ts';

const STATES = readFileSync(new URL('../golden/audit/states.sh', import.meta.url), 'utf8');
const TABLE = readFileSync(new URL('../golden/audit/verdicts.txt', import.meta.url), 'utf8');

/** A column of the golden table, by check. */
function golden(name: string): ReadonlyMap<string, string> {
  const [head = '', ...rows] = TABLE.trimEnd().split('\n');
  const index = head.split(/\s+/).indexOf(name);
  return new Map(rows.map((row) => row.split(/\s+/)).map((cells) => [cells[0] ?? '', cells[index] ?? '']));
}

function word({ state, manual, severity, reason }: CheckResult): string {
  if (state === 'pass') return 'ok';
  if (state === 'finding') return severity;
  return manual && reason?.startsWith('needs a person') === true ? '?' : '-';
}

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
    const run = await labRun(['exec', host.name, 'sh', '-s'], AUDIT_SCRIPT);
    expect(run.exit, run.err).toBe(0);
    return parseAuditFacts(Buffer.from(run.out));
  }

  test('a fresh host, and one where everything is wrong, are judged as recorded', async () => {
    const fresh = new Map(evaluate(await gather()).map((result) => [result.id, word(result)]));
    expect(fresh).toEqual(golden(`fresh-${suite}`));
    const made = await labRun(['exec', host.name, 'sh', '-s', 'bad'], STATES);
    expect(made, made.err).toMatchObject({ exit: 0 });
    const bad = new Map(evaluate(await gather()).map((result) => [result.id, word(result)]));
    expect(bad).toEqual(golden(`bad-${suite}`));
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

test('it changes nothing: /etc, /var/lib/docker and the running containers are as before', async () => {
  const [host] = (await labUp({ names: ['audit-quiet'], suite: 'trixie' })) as [LabHost];
  try {
    await host.must('docker import /root/busybox.tar busybox && docker run -d --name web busybox sleep 1d');
    const look =
      'find /etc /var/lib/docker /usr/lib/systemd -xdev -printf "%p %m %U:%G %T@ %s\\n" | sort; docker ps -a --no-trunc --format "{{.ID}} {{.Names}} {{.State}}"';
    const before = await host.must(look);
    const run = await labRun(['exec', host.name, 'sh', '-s'], AUDIT_SCRIPT);
    expect(run.exit, run.err).toBe(0);
    expect(await host.must(look)).toBe(before);
  } finally {
    await host.down();
  }
});
