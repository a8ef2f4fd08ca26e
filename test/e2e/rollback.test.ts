/**
 * A rollback brings back what was asked for along with the files: across another port, a hardening that is no good, and with credentials
 * only; and it never lets a revoked client in by the way.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProgram, type Program, type ProgramRun } from '../support/cli.ts';
import { served } from '../support/host-state.ts';
import { type LabHost, labUp, type Suite } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';

let program: Program;
beforeAll(() => {
  program = buildProgram();
});
afterAll(() => program?.remove());

describe.each(['bookworm', 'sid'] satisfies Suite[])('on %s', (suite) => {
  let host: LabHost;
  let person: Person;

  beforeAll(async () => {
    [host] = (await labUp({ names: [`back-${suite}`], suite })) as [LabHost];
    person = newPerson(program, [host]);
    await host.container('web');
    await done(person.setup(host));
  });
  afterAll(async () => {
    await host?.down();
    person?.remove();
  });

  async function done(argv: readonly string[]): Promise<ProgramRun> {
    const result = await person.run(argv);
    expect(result, result.err).toMatchObject({ status: 0 });
    return result;
  }

  /** What a rollback would bring back. */
  const next = async (): Promise<string> => {
    const { out } = await done(['rollback', host.name, '--dry-run', '--json']);
    return String(JSON.parse(out).result.hosts[0].plan.restores);
  };
  const current = (): Promise<string> => host.must('readlink /etc/docker/tls/current');

  test('across another port: verified on the one that comes back, which the next run keeps', async () => {
    await done(person.setup(host, ['--port', '2399', '--san', 'second.example']));
    expect(await served(host, 2399)).toBeDefined();
    const back = await done(['rollback', host.name, '--yes']);
    expect(back.out).toMatch(/client laptop: accepted/);
    expect(await served(host, 2399)).toBeUndefined();
    expect(await served(host, 2376)).toBeDefined();
    await done(['verify', host.name]);
    expect((await done(['plan', host.name, '--check'])).out).toMatch(/nothing to do/);
    // And forward again, which has to be asked for: the last run had nothing to do, and was not what is taken back.
    await done(person.setup(host));
    const refused = await person.run(['rollback', host.name, '--yes']);
    expect([refused.status, refused.err]).toEqual([2, expect.stringContaining('error[E_ROLLED_BACK]')]);
    await done(['rollback', host.name, '--to', await next(), '--yes']);
    expect(await served(host, 2399)).toBeDefined();
    await done(['plan', host.name, '--check']);
    await done(['rollback', host.name, '--to', await next(), '--yes']);
  });

  test('of a hardening: the next run does not make it again', async () => {
    await done(['harden', host.name, '--only', 'icc', '--accept', 'icc', '--yes']);
    expect(await host.must('cat /etc/docker/daemon.json')).toContain('"icc"');
    await done(['rollback', host.name, '--yes']);
    await host.must('! grep -s icc /etc/docker/daemon.json');
    await done(['plan', host.name, '--check']);
    await done(['rotate', 'server', host.name, '--yes']);
    await host.must('! grep -s icc /etc/docker/daemon.json');
  });

  test('where no client of this store is accepted, the certificate that comes back is verified all the same', async () => {
    const other = newPerson(program, [host]);
    const { out } = await person.run(['rollback', host.name, '--dry-run', '--json']);
    const { restores } = JSON.parse(out).result.hosts[0].plan;
    const address = ['--ssh-config', `${other.home}/.ssh/config`, '-i', host.keyFile];
    const back = await other.run(['rollback', `root@${host.address}`, ...address, '--yes']);
    expect(back, back.err).toMatchObject({ status: 0 });
    expect(back.out).toSay('generation-active-again', restores);
    expect(back.out).toMatch(/no certificate: rejected/);
    other.remove();
    await done(person.setup(host));
  });

  test('a generation from before a revocation is refused, and --allow-revoked says whom it accepts', async () => {
    await done(['client', 'add', 'eve', '--hosts', host.name]);
    await done(['client', 'revoke', 'eve', '--yes']);
    const before = await current();
    const refused = await person.run(['rollback', host.name, '--yes']);
    expect(refused.status).toBe(4);
    expect(refused.err).toSay('before-revoked', 'E_ACCEPTS_REVOKED', 'eve');
    expect(refused.err).toMatch(/rollback \S+ --to \d+ --allow-revoked && docker-tls client revoke eve/);
    expect(await current()).toBe(before);
    const shown = await done(['rollback', host.name, '--allow-revoked', '--dry-run']);
    expect(shown.out).toSay('revoked-accepted', 'eve');
    const back = await done(['rollback', host.name, '--allow-revoked', '--yes']);
    expect(back.out).toSay('revoked-accepted', 'eve');
    const again = await done(['client', 'revoke', 'eve', '--yes']);
    expect(again.out).toSay('tried-certificate');
    // From one generation that turns eve away to another that does: tried with eve's own certificate.
    await done(['rotate', 'server', host.name, '--yes']);
    expect((await done(['rollback', host.name, '--yes'])).out).toSay('revoked-client-rejected', 'eve');
  });
});
