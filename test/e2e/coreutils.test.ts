/** GNU's, uutils' (the default of Ubuntu 25.10) and busybox's tools: each tells the same facts of a host, and changes it in the same way. */

import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../src/core/adapters/ssh/connect.ts';
import { gather } from '../../src/core/engine/gather.ts';
import type { HostSession } from '../../src/core/runtime.ts';
import { parseAuditFacts } from '../../src/features/audit/domain/audit-facts.ts';
import { evaluate } from '../../src/features/audit/domain/evaluate.ts';
import { AUDIT_SCRIPT } from '../../src/features/audit/host/audit-scripts.ts';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';

const TOOLS = ['gnu', 'uutils', 'busybox'] as const;

let program: Program;
let host: LabHost;
let person: Person;
let session: HostSession;

beforeAll(async () => {
  program = buildProgram();
  [host] = (await labUp({ names: ['coreutils-1'] })) as [LabHost];
  person = newPerson(program, [host]);
  const folder = mkdtempSync(join(tmpdir(), 'docker-tls-uutils-'));
  try {
    execFileSync('apt-get', ['download', 'rust-coreutils'], { cwd: folder, stdio: 'ignore' });
    execFileSync('sh', ['-c', 'dpkg-deb -x rust-coreutils_*.deb files'], { cwd: folder });
    cpSync(join(folder, 'files/usr'), join(host.root, 'usr'), { recursive: true, verbatimSymlinks: true });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  // A directory for each, with a program for every name that it has; GNU's are the system's own.
  await host.must(
    `mkdir -p /opt/gnu /opt/uutils /opt/busybox
     for name in $(ls /usr/lib/cargo/bin/coreutils); do [ ! -e /usr/bin/$name ] || { cp -a /usr/bin/$name /opt/gnu/; ln -s /usr/bin/coreutils /opt/uutils/$name; }; done
     for name in $(busybox --list); do [ ! -e /usr/bin/$name ] && [ ! -e /usr/sbin/$name ] || ln -s /usr/bin/busybox /opt/busybox/$name; done`,
  );
  session = await connect({
    host: host.name,
    destination: host.address,
    user: 'root',
    identities: [host.keyFile],
    knownHostsFile: host.knownHostsFile,
  });
});
afterAll(async () => {
  await session?.close();
  await host?.down();
  person?.remove();
  program?.remove();
});

/** The session with one kind of tools in front of all others. */
function by(tools: string): HostSession {
  return {
    ...session,
    run: (request) => session.run({ ...request, script: `PATH=/opt/${tools}:$PATH\n${request.script}` }),
  };
}

/** What an audit makes of the host: each check with its verdict. */
async function verdicts(tools: string): Promise<unknown> {
  const { stdout } = await by(tools).run({ phase: 'audit', script: AUDIT_SCRIPT, asRoot: true, timeoutMs: 60_000 });
  return evaluate(parseAuditFacts(stdout), { now: new Date(0) });
}

/** What gather gives, without what is another thing a moment later. */
async function facts(tools: string): Promise<unknown> {
  const paths = ['/etc/passwd', '/etc/shadow', '/etc/ssh/sshd_config', '/no/such', '/etc/os-release', '/etc/docker'];
  const { facts: found } = await gather(by(tools), { paths, now: () => new Date() });
  const { clockMs, disk, inodes, runFreeKb, listeners, docker, texts, ...rest } = found;
  const { edited, info, ...daemon } = docker;
  // busybox's find cannot compare with a time: dockerd is asked then whether it would start.
  expect(edited, tools).toEqual(tools === 'busybox' ? undefined : []);
  return {
    ...rest,
    sections: [...texts.keys()].filter((name) => name !== 'edited'),
    daemon: { ...daemon, info: Object.keys(info) },
    clock: clockMs % 1000 === 0 ? 'whole seconds' : 'parts of a second',
    run: (runFreeKb ?? 0) > 0,
    mounts: disk.map(({ mount, freeKb }) => [mount, freeKb > 0]),
    inodes: inodes.map(({ mount, free }) => [mount, free > 0]),
    listeners: listeners.length,
  };
}

test('the same facts, before a setup and after it', async () => {
  // As a failed try leaves it.
  await person.run(['remove', host.name, '--yes']);
  const version = await by('uutils').run({ phase: 'test', script: 'stat --version', asRoot: true, timeoutMs: 9000 });
  expect(version.stdout.toString()).toMatch(/^stat 0\./);
  const before = await facts('gnu');
  for (const tools of TOOLS) expect(await facts(tools), tools).toEqual(before);
  await host.container('web');
  expect((await person.run(person.setup(host))).status).toBe(0);
  const after = await facts('gnu');
  expect(after).not.toEqual(before);
  const audited = await verdicts('gnu');
  for (const tools of TOOLS) {
    expect(await facts(tools), tools).toEqual(after);
    expect(await verdicts(tools), tools).toEqual(audited);
  }
});

test.each(['uutils'])(
  'in the place of GNU’s, %s: a second run has nothing to do; rotate, rollback, audit, remove',
  async (tools) => {
    await host.must(
      `for path in /opt/${tools}/*; do /opt/gnu/cp -a --remove-destination $path /usr/bin/; done; stat --version`,
    );
    for (const words of [
      person.setup(host),
      ['plan', host.name, '--check'],
      ['rotate', 'server', host.name, '--yes'],
      ['rollback', host.name, '--yes'],
      ['audit', host.name],
      ['plan', host.name, '--check'],
      ['remove', host.name, '--yes'],
      person.setup(host),
      person.setup(host),
    ]) {
      const run = await person.run(words);
      expect(run, `${words.join(' ')}\n${run.out}${run.err}`).toMatchObject({ status: 0 });
      if (words.includes('--check')) expect(run.out).toContain('nothing to do');
    }
  },
);
