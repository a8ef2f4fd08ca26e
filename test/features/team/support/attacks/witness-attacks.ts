/** Servers that show an old store, another one, or nothing new: what hosts have seen, and the expiry of the newest state. */

import type { StoreMark } from '../../../../../src/core/domain/plan/host-state.ts';
import type { Session } from '../../../../../src/features/team/store/session.ts';
import { teamStore } from '../../../../../src/features/team/store/team-store.ts';
import { markOf } from '../../../../../src/features/team/store/witnesses.ts';
import { sampleHost } from '../../../../support/store.ts';
import type { Attack } from './attack.ts';
import { reading, refusalOf } from './outcomes.ts';
import type { Scene } from './scene.ts';
import { foreign } from './server-attacks.ts';

const ADMINISTRATOR = { who: 'administrator of the server' } as const;
const DAY_MS = 86_400_000;
const later = (days: number) => () => new Date(Date.now() + days * DAY_MS);

const seenBy = async (session: Session) => markOf(await session.read()) as StoreMark;

/** A runner without memory begins a run over a host that has seen this revision. */
function changing(scene: Scene, store: StoreMark, session = scene.runner()): Promise<string> {
  const state = { schema: 1, name: 'web', generation: 1, generations: [], managed: [], store };
  return refusalOf(teamStore(session).requireSeen('web', state as never));
}

export const WITNESS_ATTACKS: readonly Attack[] = [
  {
    ...{ ...ADMINISTRATOR, name: 'witness-older', expected: 'E_HOST_NEWER' },
    what: 'a state from before a revocation for a runner without memory, whose host has seen more',
    async play(scene) {
      const seen = await seenBy(scene.member('ada').session());
      await scene.before.show();
      return changing(scene, seen);
    },
  },
  {
    ...{ ...ADMINISTRATOR, name: 'witness-forked', expected: 'E_HOST_FORKED' },
    what: 'another line of commits for a runner without memory, whose host was changed from the first one',
    async play(scene) {
      const seen = await seenBy(scene.member('ada').session());
      await scene.before.show();
      for (const name of ['u', 'v', 'w', 'x'])
        await scene.write(scene.member('bob'), { hosts: { [name]: sampleHost(name, 1) } });
      return changing(scene, seen);
    },
  },
  {
    ...{ ...ADMINISTRATOR, name: 'witness-other', expected: 'E_HOST_FORKED' },
    what: 'a whole store of their own for a runner without memory and without ?key=',
    async play(scene) {
      const seen = await seenBy(scene.member('ada').session());
      await foreign(scene);
      return changing(scene, seen);
    },
  },
  {
    ...{ ...ADMINISTRATOR, name: 'witness-good', expected: 'accepted' },
    what: 'nothing: a runner whose host has seen an earlier commit of this store',
    async play(scene) {
      await scene.before.show();
      const seen = await seenBy(scene.runner());
      await scene.head.show();
      return changing(scene, seen);
    },
  },
  ...(['ada', 'runner', 'pinned'] as const).map(
    (reader): Attack => ({
      ...{ ...ADMINISTRATOR, name: `freeze-${reader}`, expected: 'E_STORE_EXPIRED' },
      what: `hides all later commits for longer than the store allows, from ${reader === 'ada' ? 'an operator' : `a runner${reader === 'pinned' ? ' with ?key=' : ' without memory'}`}`,
      play(scene) {
        const [ada, bob] = [scene.member('ada'), scene.member('bob')];
        if (reader === 'ada') return reading(ada.session(later(91)));
        return reading(scene.open(bob, reader === 'pinned' ? `key=${scene.pin}` : '', later(91)));
      },
    }),
  ),
  {
    ...{ name: 'freeze-cut', who: 'man in the middle', expected: 'E_STORE_EXPIRED', engines: ['git'] },
    what: 'keeps a computer from the server for longer than the store allows',
    async play(scene) {
      await reading(scene.member('bob').session());
      scene.cut?.();
      return reading(scene.member('bob').session(later(91)));
    },
  },
  {
    ...{ name: 'freeze-far', who: 'colleague with bad intent', expected: 'E_STORE_TAMPERED' },
    what: 'a commit that is current for a thousand years',
    async play(scene) {
      await scene.pushSigned('bob', scene.head.files, { validDays: 365_000 });
      return reading(scene.runner());
    },
  },
];
