/** Keys of operators for files outside of the store: whose a key is, when it was, and with which one signs. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { addOperator, removeOperator } from '../../../../src/features/team/store/admin.ts';
import { openTeamSession } from '../../../../src/features/team/store/open-team-store.ts';
import { periods, storeOperators } from '../../../../src/features/team/store/operator-keys.ts';
import type { Session } from '../../../../src/features/team/store/session.ts';
import { signingKeysOf } from '../../../../src/features/team/store/signatures.ts';
import { fingerprintOf, type Signers } from '../../../../src/features/team/store/signers.ts';
import { MANIFEST, renderStoreManifest } from '../../../../src/features/team/store/store-manifest.ts';
import { readSignature, verifies } from '../../../../src/formats/sshsig.ts';
import { newHome, removeHomes } from '../../../support/store.ts';
import { enrol, type Member, newTeam, type Team } from '../support/team.ts';

afterAll(removeHomes);

const wire = (key: string) => Buffer.from(key.split(' ')[1] ?? '', 'base64');
const at = (day: number) => () => new Date(Date.UTC(2026, 10, day));
const whose = (session: Session, { recipient }: Pick<Member, 'recipient'>) =>
  storeOperators(session).whose(wire(recipient));

/** Bob from the 2nd to the 4th, and again from the 6th to the 8th. */
async function history(): Promise<Team & { ada: Member; bob: Member }> {
  const team = newTeam();
  const [ada, bob] = [team.member('ada'), team.member('bob')];
  const { recipient } = bob;
  await addOperator(ada.session(at(1)), { name: 'ada', ca: true });
  for (const day of [2, 6]) {
    await addOperator(ada.session(at(day)), { name: 'bob', recipient, ca: true });
    await removeOperator(ada.session(at(day + 2)), 'bob');
  }
  return { ...team, ada, bob };
}

test('a key is of today, was of a time, or never was', async () => {
  const { ada, bob, member } = await history();
  const carol = member('carol');
  await addOperator(ada.session(at(9)), { name: 'carol', recipient: carol.recipient, ca: false });
  const session = ada.session(at(10));
  expect(await whose(session, ada)).toEqual({ name: 'ada', current: true, past: [] });
  expect(await whose(session, carol)).toEqual({ name: 'carol', current: true, past: [] });
  expect(await whose(session, bob)).toEqual({
    ...{ name: 'bob', current: false },
    past: [
      { from: at(2)(), until: at(4)() },
      { from: at(6)(), until: at(8)() },
    ],
  });
  expect(await whose(session, member('eve'))).toBeUndefined();
  // The list of those who cannot open the CA has no history.
  await removeOperator(ada.session(at(11)), 'carol');
  expect(await whose(ada.session(at(12)), carol)).toBeUndefined();
});

test('a time that the store does not tell is none', () => {
  const bob = { name: 'bob', key: 'k' };
  const day = { earliest: at(1)(), latest: at(1)() };
  expect(periods([undefined, bob, undefined], [day, undefined, day])).toEqual([]);
  expect(periods([undefined, bob, undefined], [day, day, undefined])).toEqual([]);
  expect(periods([bob, bob, undefined], [day, undefined, day])).toEqual([{ from: at(1)(), until: at(1)() }]);
});

/** What the store says of bob if its history has another manifest of the lists from `from` (from the end) with the signers of `of`. */
async function afterManifest(by: 'ada' | 'bob', [from, of]: readonly [number, number], day: number) {
  const { ada, bob } = await history();
  const session = ada.session(at(10));
  const { signers, snapshot } = await session.read();
  const [list, signedAs] = [signers.at(from), signers.at(of)] as [Signers[number], Signers[number]];
  const [key] = await signingKeysOf((await { ada, bob }[by].session().identities())[0] as never);
  const about = {
    ...{ sequence: list.sequence, at: at(day)().toISOString(), by: `${by}@laptop`, parent: 'x' },
    ...{ signers: fingerprintOf(signedAs), subject: 's', lines: [] },
  };
  const signed = (await renderStoreManifest(new Map(), about, key as never)).get(MANIFEST);
  const entry = {
    ...{ revision: 'y', at: at(day)(), who: '', subject: '', lines: [] },
    history: { parent: 'x' },
    signed,
  };
  const log = await session.engine.log(snapshot.revision, 100);
  return async (entries: 'first' | 'last') => {
    const engine = { ...session.engine, log: async () => (entries === 'first' ? [entry, ...log] : [...log, entry]) };
    return (await whose({ ...session, engine }, bob))?.past.at(-1);
  };
}

test('a removed operator does not date the removal', async () => {
  const past = await afterManifest('bob', [-1, -2], 30);
  expect(await past('last')).toEqual({ from: at(6)(), until: at(8)() });
});

test.each([
  ['removal, later', -1, 30, 6, 8],
  ['removal, earlier', -1, 7, 6, 7],
  ['addition, earlier', -2, 5, 6, 8],
  ['addition, later', -2, 7, 7, 8],
])('a second manifest of the %s, lengthens no period', async (_, list, day, from, until) => {
  const past = await afterManifest('ada', [list, list], day);
  for (const place of ['first', 'last'] as const)
    expect(await past(place)).toEqual({ from: at(from)(), until: at(until)() });
});

test('without the server, nobody is a current operator', async () => {
  const { ada, repository } = await history();
  await whose(ada.session(at(10)), ada);
  renameSync(repository, `${repository}.gone`);
  await expect(whose(ada.session(at(10)), ada)).rejects.toMatchObject({ code: 'E_STORE_UNREACHABLE' });
});

test('only the own key signs: also one in an agent, and never that of a colleague', async () => {
  const directory = newHome();
  mkdirSync(directory, { recursive: true });
  const socket = join(directory, 'agent');
  const said = execFileSync('ssh-agent', ['-a', socket], { encoding: 'utf8' });
  const env = { PATH: process.env.PATH, SSH_AUTH_SOCK: socket };
  const inAgent = (name: string, keep: boolean) => {
    const file = join(directory, name);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
    execFileSync('ssh-add', ['-q', file], { env, stdio: 'pipe' });
    rmSync(file);
    const key = readFileSync(`${file}.pub`, 'utf8');
    return () => {
      if (!keep) execFileSync('ssh-add', ['-q', '-d', `${file}.pub`], { env, stdio: 'pipe' });
      return key;
    };
  };
  try {
    const team = newTeam();
    const [ada, bob] = [team.member('ada'), team.member('bob')];
    await enrol(ada, bob);
    const session = ({ home, env: own, name }: Member) =>
      openTeamSession({
        ...{ home, url: team.url, cwd: home, who: name, now: () => new Date(), note() {} },
        env: { ...own, SSH_AUTH_SOCK: socket },
      }) as Session;
    const [adas, bobs] = [inAgent('ada', false), inAgent('bob', true)];
    const sign = async (member: Member) => {
      const { name, publicKey, sign } = await storeOperators(session(member)).ownKey();
      const signature = readSignature(await sign(Buffer.from('text'), 'example'));
      expect(signature && verifies(signature, 'text')).toBe(true);
      return { name, key: publicKey, made: signature?.publicKey, namespace: signature?.namespace };
    };
    const key = wire(bob.recipient);
    expect(await sign(bob)).toEqual({ ...{ name: 'bob', key, made: key }, namespace: 'example' });
    for (const [member, text] of [
      [ada, readFileSync(join(directory, 'ada.pub'), 'utf8')],
      [bob, readFileSync(join(directory, 'bob.pub'), 'utf8')],
    ] as const) {
      await addOperator(session(member), { name: member.name, ca: true, signingKey: text });
      expect(await sign(member)).toMatchObject({ name: member.name, key: wire(text), made: wire(text) });
    }
    // Her key is gone from the agent, and his is still there.
    adas();
    bobs();
    await expect(sign(ada)).rejects.toMatchObject({ code: 'E_STORE_READ_ONLY' });
  } finally {
    process.kill(Number(/SSH_AGENT_PID=(\d+)/.exec(said)?.[1]));
  }
});
