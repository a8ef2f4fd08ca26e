/**
 * Reports of a real host, signed by operators of a shared store (src/features/audit/commands/audit-signature.ts,
 * src/features/team/store/operator-keys.ts): whose signature counts, and whose does not.
 */

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrol, type Member, newTeam } from '../features/team/support/team.ts';
import { type CliRun, runCli } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { newHome, removeHomes } from '../support/store.ts';

const team = newTeam();
const [ada, bob, carol, eve] = [team.member('ada'), team.member('bob'), team.member('carol'), team.member('eve')];
const directory = newHome();
const at = (name: string) => join(directory, '..', name);
let host: LabHost;

beforeAll(async () => {
  [host] = (await labUp({ names: ['signed-t1'] })) as [LabHost];
  await enrol(ada, bob);
  const { exit } = await as(ada, 'operator', 'add', 'carol', carol.recipient, '--without-ca');
  expect(exit).toBe(0);
});
afterAll(async () => {
  await host?.down();
  removeHomes();
});

function as({ env, home, name }: Member, ...argv: string[]): Promise<CliRun> {
  const HOME = env.HOME ?? '/';
  return runCli([...argv, '--store', team.url, '--home', home, '--json'], {
    env: { HOME, PATH: process.env.PATH, SSH_AUTH_SOCK: env.SSH_AUTH_SOCK },
    cwd: HOME,
    operator: `${name}@laptop`,
  });
}

const login = () => [`root@${host.address}`, '-i', host.keyFile, '--host-key', 'accept-new', '--check', 'ssh.*'];
const audit = (who: Member, file: string, ...more: string[]) =>
  as(who, 'audit', ...login(), '--out', at(file), ...more);
const check = (who: Member, file: string) => as(who, 'audit', '--check-signature', at(file));
const refusal = ({ exit, json }: CliRun) => [exit, json.error?.code, json.error?.message];
const fingerprint = ({ env }: Member) =>
  execFileSync('ssh-keygen', ['-l', '-f', `${env.HOME}/.ssh/id_ed25519.pub`], { encoding: 'utf8' }).split(' ')[1];
const ownFile = ({ env }: Member) => `${env.HOME}/.ssh/id_ed25519`;

test("--sign without KEY signs with the operator's key, and colleagues know whose it is", async () => {
  const made = await audit(bob, 'bob.json', '--sign');
  expect(made.json.result).toMatchObject({ out: at('bob.json'), signature: at('bob.json.sig') });
  expect(JSON.parse(readFileSync(at('bob.json'), 'utf8')).evidence.signer).toBe(fingerprint(bob));
  expect((await check(ada, 'bob.json')).json.result).toEqual({
    ...{ file: at('bob.json'), signer: 'bob', key: fingerprint(bob), signers: team.url },
  });
  // An operator who cannot open the CA audits and signs as well.
  expect((await audit(carol, 'carol.json', '--sign')).exit).toBe(0);
  expect((await check(ada, 'carol.json')).json.result).toMatchObject({ signer: 'carol' });
  // The same key, named, signs the same; OpenSSH knows the form.
  expect((await audit(ada, 'ada.json', '--sign', ownFile(ada))).exit).toBe(0);
  expect((await check(bob, 'ada.json')).json.result).toMatchObject({ signer: 'ada' });
  writeFileSync(at('signers'), `bob ${bob.recipient}\n`);
  const verify = ['-Y', 'verify', '-f', at('signers'), '-I', 'bob', '-n', 'docker-tls-audit'];
  const good = execFileSync('ssh-keygen', [...verify, '-s', at('bob.json.sig')], {
    input: readFileSync(at('bob.json')),
  });
  expect(String(good)).toContain('Good "docker-tls-audit" signature for bob');
});

test('neither a stranger nor a changed report counts; a file of signers is asked only where it is named', async () => {
  expect((await audit(ada, 'eve.json', '--sign', ownFile(eve))).exit).toBe(0);
  expect(refusal(await check(ada, 'eve.json'))).toEqual([
    ...[3, 'E_AUDIT_SIGNATURE'],
    expect.toSay('no-operator-has-key', fingerprint(eve), team.url),
  ]);
  // Her own file does not add to the operators.
  writeFileSync(`${ada.env.HOME}/.ssh/allowed_signers`, `eve ${eve.recipient}\n`);
  expect((await check(ada, 'eve.json')).exit).toBe(3);
  const named = await as(ada, 'audit', '--check-signature', at('eve.json'), '--signers', '.ssh/allowed_signers');
  expect(named.json.result).toMatchObject({ signer: 'eve' });

  copyFileSync(at('bob.json.sig'), at('changed.json.sig'));
  writeFileSync(at('changed.json'), readFileSync(at('bob.json'), 'utf8').replace('"severity"', '"Severity"'));
  expect(refusal(await check(ada, 'changed.json'))).toEqual([
    ...[3, 'E_AUDIT_SIGNATURE'],
    expect.toSay('not-the-file-signed'),
  ]);
  // Who is no operator signs with no key of the store.
  const stranger = await audit(eve, 'never.json', '--sign');
  expect([stranger.exit, stranger.json.error?.code]).toEqual([2, 'E_STORE_CLOSED']);
});

test('an agent that does not sign leaves an unsigned report, and no old signature beside it', async () => {
  const dora = team.member('dora');
  const [socket, key] = [at('agent'), at('agent-key')];
  const said = execFileSync('ssh-agent', ['-a', socket], {
    encoding: 'utf8',
    env: { ...process.env, SSH_ASKPASS: '/bin/false' },
  });
  try {
    const agent = { PATH: process.env.PATH, SSH_AUTH_SOCK: socket, SSH_ASKPASS: '/bin/false' };
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const added = await as(ada, 'operator', 'add', 'dora', dora.recipient, '--signing-key', `${key}.pub`);
    expect(added.exit).toBe(0);
    const withAgent = { ...dora, env: { ...dora.env, SSH_AUTH_SOCK: socket } };
    execFileSync('ssh-add', ['-q', key], { env: agent, stdio: 'pipe' });
    expect((await audit(withAgent, 'dora.json', '--sign')).json.result.signature).toBe(at('dora.json.sig'));
    // From now on the agent asks before it signs, and nobody answers.
    execFileSync('ssh-add', ['-q', '-c', key], { env: agent, stdio: 'pipe' });
    const refused = await audit(withAgent, 'dora.json', '--sign');
    expect([refused.exit, refused.json.error?.code]).toEqual([2, 'E_AUDIT_SIGNER']);
    expect(refused.json.error).toMatchObject({ where: at('dora.json'), message: expect.toSay('report-is-unsigned') });
    expect(refused.json.result).toMatchObject({ out: at('dora.json'), subjects: [{ kind: 'host' }] });
    expect(refused.json.result.signature).toBeUndefined();
    expect(JSON.parse(readFileSync(at('dora.json'), 'utf8')).createdAt).toBe(refused.json.result.createdAt);
    expect(existsSync(at('dora.json.sig'))).toBe(false);
  } finally {
    process.kill(Number(/SSH_AGENT_PID=(\d+)/.exec(said)?.[1]));
  }
});

test("a removed operator's report counts only where its date is accepted, and never with a later one", async () => {
  expect((await as(ada, 'operator', 'remove', 'bob', '--yes')).exit).toBe(0);
  const { createdAt } = JSON.parse(readFileSync(at('bob.json'), 'utf8'));
  const asSigned = refusal(await check(ada, 'bob.json'));
  expect(asSigned.slice(0, 2)).toEqual([3, 'E_AUDIT_SIGNATURE']);
  expect(asSigned[2]).toSay('only-the-signer-vouches', fingerprint(bob), 'bob', team.url);
  const accept = ['audit', '--check-signature', at('bob.json'), '--accept-removed'];
  const accepted = await as(ada, ...accept);
  expect(accepted.exit).toBe(0);
  expect(accepted.json.result).toMatchObject({ signer: 'bob', createdAt, removedAt: expect.stringMatching(/Z$/) });
  const text = await runCli([...accept, '--store', team.url, '--home', ada.home], {
    env: { HOME: ada.env.HOME, PATH: process.env.PATH },
    cwd: ada.env.HOME ?? '/',
  });
  expect(text.out).toSay('key-removed-since', 'bob');

  // He writes a report now, with a date inside of his time.
  const signAs = (file: string, content: string) => {
    writeFileSync(at(file), content);
    execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-f', ownFile(bob), '-n', 'docker-tls-audit', at(file)]);
  };
  signAs('forged.json', JSON.stringify({ createdAt }));
  expect(refusal(await check(ada, 'forged.json')).slice(0, 2)).toEqual([3, 'E_AUDIT_SIGNATURE']);
  // He signs on.
  expect((await audit(ada, 'late.json', '--sign', ownFile(bob))).exit).toBe(0);
  const late = refusal(await check(ada, 'late.json'));
  expect(late.slice(0, 2)).toEqual([3, 'E_AUDIT_SIGNATURE']);
  expect(late[2]).toSay('key-no-longer-of-operator', 'bob');
  // A date from before he was an operator, and a form without a date that is read.
  signAs('early.json', JSON.stringify({ createdAt: '2020-01-01T00:00:00.000Z' }));
  signAs('late.html', '<p>2026</p>');
  for (const file of ['late.json', 'early.json', 'late.html'])
    expect([file, (await as(ada, 'audit', '--check-signature', at(file), '--accept-removed')).exit]).toEqual([file, 3]);
  expect(refusal(await check(ada, 'late.html'))[2]).toSay('only-json-says');
  // The store is closed to him, so his own computer cannot tell.
  expect(refusal(await check(bob, 'bob.json'))[1]).toBe('E_STORE_CLOSED');
});
