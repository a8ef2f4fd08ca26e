/** The aim of the hardening, as Lynis itself measures it: an index above 70 without a package and without any fix that takes a yes of its own. */

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { installLynis } from '../features/audit/support/lynis.ts';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';

let program: Program;
let host: LabHost;
/** Reached through it. */
let behind: LabHost;
let person: Person;
beforeAll(async () => {
  program = buildProgram();
  [host, behind] = (await labUp({ names: ['lynis-ci', 'lynis-ci-2'] })) as [LabHost, LabHost];
  person = newPerson(program, [host, behind]);
});
afterAll(async () => {
  await host?.down();
  await behind?.down();
  person?.remove();
  program?.remove();
});

it('an audit that is interrupted leaves no Lynis running on the host', async () => {
  expect((await person.run(person.setup(host))).status).toBe(0);
  await installLynis(host);
  const lynis = async () => (await host.must('pgrep -x lynis || :')).trim();
  const audit = program.start(['audit', host.name, '--lynis'], { env: person.env, cwd: person.home });
  const ended = once(audit, 'close');
  await expect.poll(lynis, { timeout: 60_000 }).not.toBe('');
  audit.kill('SIGINT');
  expect((await ended)[0]).toBe(130);
  await expect.poll(lynis, { timeout: 60_000 }).toBe('');
  expect(await host.must('ls -d /tmp/tmp.* /tmp/lynis.* 2>/dev/null || :')).toBe('');
  await host.must('dpkg -r --force-depends lynis');
});

it('harden --profile lynis reaches more than 70, and files a page of it', { timeout: 600_000 }, async () => {
  const run = async (...words: string[]) => {
    const { status, out, err } = await person.run(words);
    expect(status, err).toBe(0);
    return out;
  };
  await run(...person.setup(host));
  await run(...person.setup(behind, ['--jump', `ops@${host.address}`]));
  expect(await run('audit', host.name, '--lynis', '--check', 'host.1')).toSay('no-lynis-index-lynis');
  await installLynis(host);
  const page = join(person.home, 'harden.html');
  const banner =
    'Authorized users only. Use of this system is monitored and recorded. Unauthorized access is prohibited by law.';
  const out = await run(
    'harden',
    host.name,
    '--profile',
    'lynis',
    '--accept',
    'sshd-forwarding',
    '--banner',
    banner,
    '--report',
    page,
    '--yes',
  );
  expect(out).toSay('report', page);
  const text = await readFile(page, 'utf8');
  const [, before, after] = /index: <b>(\d+)<\/b> before, <b>(\d+)<\/b> after/.exec(text) ?? [];
  expect(Number(after)).toBeGreaterThan(70);
  expect(Number(after)).toBeGreaterThan(Number(before));
  expect(text).toMatch(/kernel setting net\.ipv4\.conf\.\*\.send_redirects = 0 \(kernel-network\)/);
  expect(text).toSay('accepted-since-shared-ssh', '--only', '--accept');
  // A jump host of ours goes on leading to the hosts behind it, also where its forwarding was given up by name.
  expect(out).toSay('out-since-no-longer', behind.name);
  await run('plan', behind.name, '--check');
  // It leaves nothing on the host.
  expect(await host.must('ls /var/log/lynis* /tmp/tmp.* 2>/dev/null || :')).toBe('');
});
