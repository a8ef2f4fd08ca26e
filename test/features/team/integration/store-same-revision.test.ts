/** A server that gives other content under the revision that a run has read: the revision is its word, and is no proof. */

import { afterAll, expect, test } from 'vitest';
import type { Snapshot } from '../../../../src/features/team/engines/engine.ts';
import { openSession } from '../../../../src/features/team/store/session.ts';
import { teamStore } from '../../../../src/features/team/store/team-store.ts';
import { removeHomes, sampleHost } from '../../../support/store.ts';
import { enrol, newTeam } from '../support/team.ts';

afterAll(removeHomes);

test('unsigned files, or another signed state, under a known revision are refused; the same state is not', async () => {
  const ada = newTeam().member('ada');
  await enrol(ada);
  const store = teamStore(ada.session());
  const write = (name: string) => store.withLock('test', () => store.write({ hosts: { [name]: sampleHost(name, 1) } }));
  await write('web');
  const first = await ada.session().snapshot();
  await write('db');
  const second = await ada.session().snapshot();
  let shown: Snapshot = second;
  const { engine, local, identities } = ada.session();
  const agentKeys = async () => [];
  const session = openSession({
    ...{ engine: { ...engine, read: async () => shown }, local, identities, agentKeys, who: 'ada@laptop' },
    ...{ note: () => {}, now: () => new Date() },
  });
  await session.read();
  for (const files of [new Map(second.files).set('hosts/web/public', Buffer.from('x')), first.files]) {
    shown = { ...second, files, history: files === first.files ? first.history : second.history };
    await expect(session.read(0)).rejects.toMatchObject({ code: 'E_STORE_TAMPERED' });
  }
  shown = { ...second, files: new Map(second.files) };
  expect((await session.read(0)).snapshot).toBe(shown);
});
