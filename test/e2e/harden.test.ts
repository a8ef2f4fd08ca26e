/** Hardening on real hosts of three generations: mended, still usable, stable, and undone without a trace. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labUp, type Suite, suites } from '../support/lab.ts';

let program: Program;
beforeAll(() => {
  program = buildProgram();
});
afterAll(() => program?.remove());

const FILES =
  'cd /etc && find . ! -type s -printf "%M %u:%g %p %l\\n" | LC_ALL=C sort && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum';
/** Copies that gpasswd makes of what it edits. */
const WITHOUT_BACKUPS = `{ ${FILES}; } | grep -vE ' \\./(group|gshadow)-( |$)'`;

describe.each(suites)('on %s', (suite: Suite) => {
  let host: LabHost;
  let home: string;

  async function run(...words: string[]) {
    const { status, out, err } = await program.run(['--home', home, ...words], {
      env: { ...process.env, HOME: home, SSH_AUTH_SOCK: '' },
    });
    return { status, out, err };
  }
  async function mendable(): Promise<string[]> {
    const { out } = await run('audit', 'web', '--json');
    const [subject] = JSON.parse(out).result.subjects as {
      results: { id: string; state: string; mendable?: string }[];
    }[];
    return (subject?.results ?? [])
      .filter((one) => one.state === 'finding' && one.mendable !== undefined)
      .map((one) => one.mendable as string);
  }
  const pid = () => host.must("docker inspect -f '{{.State.Pid}}' web");

  beforeAll(async () => {
    [host] = (await labUp({ names: [`harden-${suite}`], suite })) as [LabHost];
    home = await mkdtemp(join(tmpdir(), 'docker-tls-harden-'));
    await host.container('web');
    await host.must('gpasswd -a noisy docker && gpasswd -a pat docker && chmod 0666 /etc/default/docker');
  });
  afterAll(async () => {
    await host?.down();
    await rm(home, { recursive: true, force: true });
  });

  it('mends what can be mended, keeps everybody in, and gives all of it back', { timeout: 240_000 }, async () => {
    const before = await host.must(WITHOUT_BACKUPS);
    const running = await pid();
    const to = `ops@${host.address}`;
    const ssh = ['-i', host.keyFile, '--host-key', 'accept-new'];
    const refused = await run('harden', to, ...ssh, '--yes');
    expect(refused.status, refused.err).toBe(2);
    expect(refused.err).toContain('E_NOT_SET_UP');

    const setup = await run('setup', to, '--name', 'web', ...ssh, '--no-ca-passphrase', '--client', 'me', '--yes');
    expect(setup.status, setup.err).toBe(0);
    expect(await mendable()).toEqual(expect.arrayContaining(['sshd', 'sshd-passwords', 'docker-group', 'file-modes']));

    const hardened = await run('harden', 'web', '--keep-docker-group', 'noisy', '--yes');
    expect(hardened.status, hardened.err).toBe(0);
    expect(hardened.out).toContain('left out: userns-remap');
    expect(hardened.out).toContain('left out: icc');
    // noisy stays in the docker group, as was asked for; the other two need a yes of their own.
    expect(new Set(await mendable())).toEqual(new Set(['docker-group', 'icc', 'userns-remap']));
    expect(await pid()).toBe(running);
    // A member that comes back stands last in the line: which order it is has no meaning, so noisy is the first here.
    expect(await host.must('getent group docker')).toMatch(/:noisy$/);
    expect((await host.ssh('true', { user: 'ops' })).exit).toBe(0);
    expect((await host.ssh('true', { user: 'root' })).exit).not.toBe(0);
    expect(await host.must('sshd -T')).toMatch(/^passwordauthentication no$/im);

    expect((await run('plan', 'web', '--check')).status).toBe(0);
    expect((await run('apply', 'web', '--yes')).out).toContain('nothing to do');
    expect((await run('verify', 'web')).status).toBe(0);

    const removed = await run('remove', 'web', '--yes');
    expect(removed.status, removed.err).toBe(0);
    expect(await pid()).toBe(running);
    expect(await host.must(WITHOUT_BACKUPS)).toBe(before);
    expect((await host.ssh('true', { user: 'root' })).exit).toBe(0);
  });
});
