/** Signer settings from a colleague's store: nothing runs or is sent on a machine whose user has not accepted them. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CertificateFactory } from '../../../support/certificate-factory.ts';
import { buildProgram, type CliSetting, runCli } from '../../../support/cli.ts';
import { writeSignScript } from '../../../support/sign-script.ts';
import { newHome, removeHomes } from '../../../support/store.ts';
import { openTerminal } from '../../../support/terminal.ts';
import { enrol, type Member, newTeam, type Team } from '../../team/support/team.ts';

let factory: CertificateFactory;
let program: ReturnType<typeof buildProgram>;
beforeAll(() => {
  factory = new CertificateFactory();
  program = buildProgram();
});
afterAll(() => {
  factory.remove();
  program.remove();
  removeHomes();
});

function as({ env, home, name }: Member, argv: readonly string[], setting: CliSetting = {}) {
  const more = { env: { HOME: env.HOME }, cwd: env.HOME ?? '/', operator: `${name}@laptop`, ...setting };
  return runCli([...argv, '--home', home], more);
}

/** Ada sets a command; `ran` records its runs. */
async function team(): Promise<Team & { ada: Member; bob: Member; script: string; ran: string; certFile: string }> {
  const made = newTeam();
  const [ada, bob] = [made.member('ada'), made.member('bob')];
  await enrol(ada, bob);
  const directory = newHome();
  mkdirSync(directory, { recursive: true });
  const ca = factory.issue('company', { ca: true });
  const [ran, script] = [join(directory, 'ran'), writeSignScript(join(directory, 'sign'), ca)];
  writeFileSync(script, readFileSync(script, 'utf8').replace('set -e', `set -e\necho run >>'${ran}'`));
  const given = ['--store', made.url, '--cert', ca.certFile, '--no-ca-passphrase', '--sign-command', script];
  expect((await as(ada, ['ca', 'import', ...given])).err).toBe('');
  return { ...made, ada, bob, script, ran, certFile: ca.certFile };
}

const add = (name: string) => ['client', 'add', name];
const timesRun = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').length : 0);

test('--yes is no consent: nothing runs, and the plan and the error say what would', async () => {
  const { url, ada, bob, script, ran } = await team();
  const refused = await as(bob, [...add('x'), '--yes', '--store', url, '--json']);
  expect(refused.json.error).toMatchObject({
    code: 'E_STORE_SETTINGS',
    details: [`runs ${script}`],
    hints: [expect.stringContaining('without --yes'), expect.stringMatching(/--trust-store-settings [0-9a-f]{32}$/)],
  });
  expect(timesRun(ran)).toBe(0);
  const plan = await as(bob, [...add('x'), '--dry-run']);
  expect(plan.out).toSay('shared-store-not-accepted', '/sign');
  const id = /--trust-store-settings (\S+)/.exec(plan.out)?.[1] as string;
  expect((await as(bob, [...add('x'), '--dry-run', '--json'])).json.result.signer).toEqual({
    ...{ id, accepted: false, values: [{ name: 'runs', value: script }] },
  });
  // Accepted by the call, only for that call.
  expect((await as(bob, [...add('x'), '--yes', '--trust-store-settings', '0'.repeat(32)])).exit).toBe(2);
  expect((await as(bob, [...add('x'), '--yes', '--trust-store-settings', id])).err).toBe('');
  expect(timesRun(ran)).toBe(1);
  expect((await as(bob, [...add('y'), '--yes'])).exit).toBe(2);
  // The operator who set it needs no confirmation.
  expect((await as(ada, [...add('z'), '--yes'])).exit).toBe(0);
  expect(timesRun(ran)).toBe(2);
});

test('on a terminal it is asked once; another value is asked again, and a no runs nothing', async () => {
  const { url, ada, bob, script, ran, certFile } = await team();
  const [file, ...first] = program.command;
  const argv = (name: string) => [...first, ...add(name), '--home', bob.home, '--store', url];
  const answer = async (name: string, accepts: 'y' | 'n') => {
    const terminal = openTerminal(file, argv(name), { env: { ...bob.env, TERM: 'xterm' }, cwd: bob.home });
    const screen = await terminal.see('Accept this on this computer');
    expect(screen.replace(/\s/g, '')).toContain(`runs${script}`);
    await terminal.answer('(y/N)', `${accepts}\r`);
    return terminal.ended;
  };
  mkdirSync(bob.home, { recursive: true });
  await answer('x', 'n');
  expect(timesRun(ran)).toBe(0);
  await answer('x', 'y');
  expect(timesRun(ran)).toBe(1);
  expect((await as(bob, [...add('y'), '--yes'])).exit).toBe(0);
  expect(timesRun(ran)).toBe(2);
  const changed = [`${script} {profile} {days} --again`];
  await as(ada, ['ca', 'import', '--cert', certFile, '--no-ca-passphrase', '--sign-command', ...changed]);
  expect((await as(bob, [...add('z'), '--yes', '--json'])).json.error?.code).toBe('E_STORE_SETTINGS');
  expect(timesRun(ran)).toBe(2);
});
