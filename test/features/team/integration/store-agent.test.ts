/** Operators whose signing key only an SSH agent holds: a real agent, with keys that are in no file. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addOperator, removeOperator } from '../../../../src/features/team/store/admin.ts';
import { openTeamSession } from '../../../../src/features/team/store/open-team-store.ts';
import type { Session } from '../../../../src/features/team/store/session.ts';
import { readLog } from '../../../../src/features/team/store/signed-log.ts';
import { agentKeys } from '../../../../src/features/team/store/ssh-agent.ts';
import { teamStore } from '../../../../src/features/team/store/team-store.ts';
import { runCli } from '../../../support/cli.ts';
import { newHome, removeHomes, sampleHost } from '../../../support/store.ts';
import { enrol, type Member, newTeam, type Team } from '../support/team.ts';

/** The software security key of OpenSSH's tests (package openssh-tests). */
const SK_DUMMY = '/usr/lib/openssh/regress/misc/sk-dummy/sk-dummy.so';
const TYPES = ['ed25519', 'rsa', 'ecdsa', ...(existsSync(SK_DUMMY) ? ['ed25519-sk', 'ecdsa-sk'] : [])];

let directory: string;
let agent: ReturnType<typeof startAgent>;
const keys = new Map<string, string>();

function startAgent(socket: string) {
  const said = execFileSync('ssh-agent', ['-P', '/usr/lib/openssh/*', '-a', socket], { encoding: 'utf8' });
  const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(said)?.[1]);
  const env = { PATH: process.env.PATH, SSH_AUTH_SOCK: socket };
  const add = (...args: string[]) => execFileSync('ssh-add', ['-q', ...args], { env, stdio: 'pipe' });
  const stop = () => {
    process.kill(pid);
    // It removes its socket as it ends.
    while (existsSync(socket)) execFileSync('sleep', ['0.01']);
  };
  return { socket, add, stop };
}

beforeAll(() => {
  directory = newHome();
  mkdirSync(directory, { recursive: true });
  agent = startAgent(join(directory, 'agent'));
  for (const type of TYPES) {
    const file = join(directory, type);
    const provider = type.endsWith('-sk') ? ['-w', SK_DUMMY] : [];
    execFileSync('ssh-keygen', ['-q', '-t', type, ...provider, '-N', '', '-C', type, '-f', file], { stdio: 'pipe' });
    keys.set(type, readFileSync(`${file}.pub`, 'utf8'));
    agent.add(...(provider.length > 0 ? ['-S', SK_DUMMY] : []), file);
    rmSync(file);
  }
});
afterAll(() => {
  agent.stop();
  removeHomes();
});

/** A run of a member with this agent, or without one. */
function session({ home, env, name, notes }: Member, { url }: Team, socket?: string): Session {
  const options = { env: { ...env, SSH_AUTH_SOCK: socket }, cwd: home, who: `${name}@laptop`, now: () => new Date() };
  return openTeamSession({ ...options, home, url, note: (text) => (notes as string[]).push(text) }) as Session;
}

const write = (one: Session, name: string) => {
  const store = teamStore(one);
  return store.withLock('docker-tls test', async () => {
    await store.requireWritable();
    await store.write({ hosts: { [name]: sampleHost(name, 1) } });
  });
};

describe.each(TYPES)('a key of type %s', (type) => {
  test('signs what its operator changes, by the agent alone; the key that opens the store signs nothing', async () => {
    const team = newTeam();
    const [ada, bob] = [team.member('ada'), team.member('bob')];
    await enrol(ada, bob);
    const wanted = { name: 'ada', ca: true, signingKey: keys.get(type) };
    // Nobody locks themselves out: the new key signs the commit that names it.
    await expect(addOperator(session(ada, team), wanted)).rejects.toMatchObject({ code: 'E_STORE_READ_ONLY' });
    const operator = await addOperator(session(ada, team, agent.socket), wanted);
    expect(operator.signingKey).toBe(keys.get(type)?.split(' ').slice(0, 2).join(' '));
    await write(session(ada, team, agent.socket), 'web');
    const [last] = await readLog(bob.session(), 1);
    expect(last).toMatchObject({ signedBy: 'ada', subject: expect.stringContaining('host web: added') });
    expect(ada.notes.filter((note) => note.startsWith('touch'))).toHaveLength(type.endsWith('-sk') ? 2 : 0);
    // A thief of the file can read, as before, and change nothing.
    const stolen = session(ada, team);
    expect((await teamStore(stolen).read()).hosts.has('web')).toBe(true);
    await expect(write(stolen, 'evil')).rejects.toMatchObject({
      code: 'E_STORE_READ_ONLY',
      message: expect.toSay('opens-store-no-key-signs'),
      details: [expect.toSay('signs', 'ada', operator.signingKey)],
      hints: ['ssh-add -L', expect.stringContaining('ssh-add -K')],
    });
    await expect(removeOperator(session(ada, team), 'bob')).rejects.toMatchObject({ code: 'E_STORE_READ_ONLY' });
    // A new list of signers, too.
    await removeOperator(session(ada, team, agent.socket), 'bob');
    const reader = session(ada, team);
    expect((await reader.read()).operators.map(({ name }) => name)).toEqual(['ada']);
  });
});

test('the first operator signs by the agent as well, and the command takes a file or the key itself', async () => {
  const team = newTeam();
  const ada = team.member('ada');
  const run = (...argv: string[]) =>
    runCli([...argv, '--home', ada.home, '--store', team.url, '--json'], {
      ...{ env: { HOME: ada.env.HOME, SSH_AUTH_SOCK: agent.socket }, cwd: directory, operator: 'ada@laptop' },
    });
  const made = await run('operator', 'add', 'ada', '--signing-key', 'ecdsa.pub');
  expect(made.json.result.operator.signingKey).toBe(keys.get('ecdsa')?.split(' ').slice(0, 2).join(' '));
  const changed = await run('operator', 'add', 'ada', '--signing-key', keys.get('rsa') as string);
  expect(changed.json.error).toBeUndefined();
  expect((await run('log')).json.result.entries[0]).toMatchObject({
    signedBy: 'ada',
    subject: expect.stringContaining('signs with ssh-rsa'),
  });
  const wrong = await run('operator', 'add', 'bob', team.member('bob').recipient, '--signing-key', 'ssh-dss AAAA');
  expect(wrong.json.error).toMatchObject({ code: 'E_RECIPIENT', message: expect.toSay('can-sign-store') });
  writeFileSync(join(directory, 'both.pub'), `${keys.get('ecdsa')}${keys.get('rsa')}`);
  const both = await run('operator', 'add', 'ada', '--signing-key', 'both.pub');
  expect(both.json.error).toMatchObject({ code: 'E_RECIPIENT', message: expect.stringContaining('several keys') });
  const looks = await run('operator', 'add', 'bob', 'bob.pub', '--signing-key', 'ecdsa.pub', '--without-ca');
  expect(looks.json.error).toMatchObject({ code: 'E_USAGE', message: expect.stringContaining('means nothing') });
});

test('an agent that refuses, is gone, hangs or talks nonsense signs nothing', async () => {
  const team = newTeam();
  const ada = team.member('ada');
  await enrol(ada);
  const own = startAgent(join(directory, 'confirming'));
  const file = join(directory, 'confirmed');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  own.add(file);
  const signingKey = readFileSync(`${file}.pub`, 'utf8');
  await addOperator(session(ada, team, own.socket), { name: 'ada', ca: true, signingKey });
  // From now on it asks before each use, and there is nobody to answer.
  own.add('-c', file);
  await expect(write(session(ada, team, own.socket), 'x')).rejects.toMatchObject({
    code: 'E_STORE_WRITE',
    message: expect.toSay('agent-did-not-sign-change'),
    hints: ['ssh-add -l', expect.stringContaining('ssh-add -T')],
  });
  own.stop();
  await expect(write(session(ada, team, own.socket), 'x')).rejects.toMatchObject({ code: 'E_STORE_READ_ONLY' });
  for (const [name, answer] of [
    ['long', Buffer.from([255, 255, 255, 255, 12])],
    ['none', Buffer.from([0, 0, 0, 1, 5])],
    ['cut', Buffer.from([0, 0, 0, 9, 12, 0, 0, 0, 9, 0, 0, 1, 0])],
  ] as const) {
    const server = createServer((socket) => socket.end(answer)).listen(join(directory, name));
    expect(await agentKeys({ socket: join(directory, name), note() {} })).toEqual([]);
    server.close();
  }
  const stop = new AbortController();
  const silent = createServer(() => stop.abort(new Error('Ctrl-C'))).listen(join(directory, 'silent'));
  const asked = agentKeys({ socket: join(directory, 'silent'), note() {}, signal: stop.signal });
  await expect(asked).rejects.toThrow('Ctrl-C');
  silent.close();
});

test("the key of this operator signs, not the one that the agent lists first; a colleague's signs with a note", async () => {
  const team = newTeam();
  const [ada, bob] = [team.member('ada'), team.member('bob')];
  await enrol(ada, bob);
  const own = startAgent(join(directory, 'two'));
  own.add(join(ada.env.HOME ?? '', '.ssh/id_ed25519'));
  const file = join(directory, 'of-bob');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  own.add(file);
  const signingKey = readFileSync(`${file}.pub`, 'utf8');
  await addOperator(session(bob, team, own.socket), { name: 'bob', ca: true, signingKey });
  await write(session(bob, team, own.socket), 'of-bob');
  expect(await readLog(ada.session(), 1)).toMatchObject([{ signedBy: 'bob' }]);
  expect(bob.notes.filter((note) => note.startsWith('signed as'))).toEqual([]);
  // Only ada's key is left in the agent that bob's computer was given.
  own.add('-d', file);
  await write(session(bob, team, own.socket), 'as-ada');
  expect(await readLog(ada.session(), 1)).toMatchObject([{ signedBy: 'ada' }]);
  expect(bob.notes.at(-1)).toSay('opens-store-no-key', 'ada', 'bob');
  own.stop();
});

test('no two operators sign with one key, and a key that is too short or not whole signs nothing', async () => {
  const team = newTeam();
  const [ada, bob, carol] = [team.member('ada'), team.member('bob'), team.member('carol')];
  await enrol(ada, bob);
  const own = { code: 'E_OPERATOR', message: expect.stringContaining('signs with this key already') };
  const add = (name: string, recipient: string | undefined, signingKey?: string) =>
    addOperator(session(ada, team, agent.socket), { name, recipient, ca: true, signingKey });
  await expect(add('carol', carol.recipient, bob.recipient)).rejects.toMatchObject(own);
  await expect(add('bob', undefined, ada.recipient)).rejects.toMatchObject(own);
  await add('ada', undefined, keys.get('ecdsa'));
  await expect(add('bob', undefined, keys.get('ecdsa'))).rejects.toMatchObject(own);
  const file = join(directory, 'short');
  execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-b', '1024', '-N', '', '-f', file]);
  const short = readFileSync(`${file}.pub`, 'utf8');
  const refused = { code: 'E_RECIPIENT', details: [expect.stringContaining('2048 bits')] };
  await expect(add('carol', carol.recipient, short)).rejects.toMatchObject(refused);
  await expect(add('carol', short)).rejects.toMatchObject({ code: 'E_RECIPIENT' });
  const [type = '', blob = ''] = (keys.get('ed25519') as string).split(' ');
  const longer = Buffer.concat([Buffer.from(blob, 'base64'), Buffer.from('more')]).toString('base64');
  await expect(add('carol', carol.recipient, `${type} ${longer}`)).rejects.toMatchObject(refused);
});

test('what an agent answers is verified before it is committed', async () => {
  const team = newTeam();
  const ada = team.member('ada');
  await enrol(ada);
  const [type = '', blob = ''] = ada.recipient.split(' ');
  const text = (value: Uint8Array | string) => {
    const bytes = Buffer.from(value as string);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const key = text(Buffer.from(blob, 'base64'));
  const answers = [
    Buffer.concat([Buffer.of(12, 0, 0, 0, 1), key, text('ada')]),
    Buffer.concat([Buffer.of(14), text(Buffer.concat([text(type), text(Buffer.alloc(64, 1))]))]),
  ];
  const liar = createServer((socket) => socket.once('data', () => socket.end(text(answers.shift() as Buffer))));
  liar.listen(join(directory, 'liar'));
  const [lying] = await agentKeys({ socket: join(directory, 'liar'), note() {} });
  await expect(lying?.sign('docker-tls-manifest', 'x')).rejects.toMatchObject({
    code: 'E_STORE_WRITE',
    message: expect.toSay('agent-did-not-sign'),
  });
  liar.close();
});

test('a touch is awaited for less long than a host waits for the commit', async () => {
  const [type = '', blob = ''] =
    'sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIIoWt9LOTjw03EVa2tkw2125PaBgcTCDZ40rhKLD0kP+AAAABHNzaDo='.split(
      ' ',
    );
  const text = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const list = text(
    Buffer.concat([Buffer.of(12, 0, 0, 0, 1), text(Buffer.from(blob, 'base64')), text(Buffer.from(type))]),
  );
  // It lists a security key, and nobody touches it.
  const server = createServer((socket) =>
    socket.on('data', (asked) => (asked[4] === 11 ? socket.end(list) : undefined)),
  ).listen(join(directory, 'untouched'));
  const notes: string[] = [];
  const [key] = await agentKeys({ socket: join(directory, 'untouched'), note: (one) => notes.push(one) });
  await expect(key?.sign('docker-tls-manifest', 'x')).rejects.toMatchObject({
    code: 'E_STORE_WRITE',
    message: expect.toSay('did-not-answer-within', '30'),
  });
  expect(notes).toEqual([expect.toSay('touch-security-key-within', '30')]);
  server.close();
});
