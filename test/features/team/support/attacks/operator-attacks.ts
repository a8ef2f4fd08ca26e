/** Attacks of operators: who has left, who cannot open the CA, and who means harm. */

import { addOperator, removeOperator } from '../../../../../src/features/team/store/admin.ts';
import { OPERATORS } from '../../../../../src/features/team/store/contents.ts';
import { openKeys, readOperators, renderKeys } from '../../../../../src/features/team/store/operators.ts';
import { checkTeamStore, restoreTeamStore } from '../../../../../src/features/team/store/restore-store.ts';
import { SIGNERS, type Signers, signersAmong, withSigners } from '../../../../../src/features/team/store/signers.ts';
import { teamStore } from '../../../../../src/features/team/store/team-store.ts';
import { sampleHost } from '../../../../support/store.ts';
import type { Attack } from './attack.ts';
import { newRunners, reading, refusalOf, shownAs } from './outcomes.ts';
import type { Scene, State } from './scene.ts';

const EVIL = { hosts: { evil: sampleHost('evil', 1) } };

/** Files with a list of signers that one of the given chain has signed. */
async function listing(scene: Scene, { files }: State, chain: Signers, by: string, ...names: string[]) {
  const operators = signersAmong(names.map((name) => scene.asOperator(name)));
  const next = await withSigners(chain, operators, 99, await scene.keyOf(by));
  return new Map([...files, [SIGNERS, Buffer.from(JSON.stringify(next))]]);
}

/** Files of the head whose sealed list of operators is another one, sealed with bob's keys. */
async function relisted(scene: Scene, ca: boolean) {
  const { files } = scene.head;
  const keys = await openKeys(files, await scene.member('bob').session().identities());
  if (keys?.ca === undefined) throw new Error('bob opens the CA');
  const mallory = { ...scene.asOperator('mallory'), ca, addedAt: '' };
  const operators = [...(readOperators(files, keys) ?? []), mallory];
  const made = await renderKeys(operators, { ...keys, ca: keys.ca });
  return new Map([...files, ...made]);
}

/** Parents of a commit that shows the state from before the removal. */
const merges: readonly [name: string, what: string, parents: (scene: Scene) => readonly string[]][] = [
  [
    'leaver-merges',
    'a merge that claims to restore the head over a commit from before the removal',
    ({ head, revoked }) => [head.revision, revoked.revision],
  ],
  [
    'leaver-merges-three',
    'a merge of three commits, the head as the last',
    ({ head, revoked, before }) => [revoked.revision, before.revision, head.revision],
  ],
];

const former: readonly Attack[] = [
  {
    ...{ name: 'leaver-reads', who: 'former operator', what: 'opens what was written since' },
    expected: 'E_STORE_CLOSED',
    play: (scene) => reading(scene.member('eve').session()),
  },
  {
    ...{ name: 'leaver-writes', who: 'former operator', what: 'goes on with the program and what it has in memory' },
    expected: 'E_STORE_CLOSED',
    play: (scene) => refusalOf(scene.write(scene.member('eve'), EVIL)),
  },
  {
    ...{ name: 'leaver-signs', who: 'former operator', what: 'a commit on top of the removal, with their own key' },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await scene.pushSigned('eve', scene.head.files);
      return reading(scene.runner());
    },
  },
  {
    ...{ name: 'leaver-names-list', who: 'former operator', what: 'the same, as a signer of the list of then' },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await scene.pushSigned('eve', scene.head.files, { signers: scene.pin });
      return reading(scene.runner());
    },
  },
  ...(['runner', 'pinned'] as const).map(
    (reader): Attack => ({
      ...{
        name: `leaver-cuts-chain-${reader}`,
        who: 'former operator',
        what: `a chain that ends before the removal, for a runner without memory${reader === 'pinned' ? ', with ?key= of then' : ''}`,
      },
      expected: 'E_STORE_TAMPERED',
      async play(scene) {
        await scene.pushSigned('eve', scene.revoked.files);
        return reading(scene[reader]());
      },
    }),
  ),
  {
    ...{
      name: 'leaver-buries-removal',
      who: 'former operator',
      what: 'two such commits, the second with a new list of signers',
    },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await scene.pushSigned('eve', scene.revoked.files);
      await scene.pushSigned('eve', await listing(scene, scene.revoked, scene.revoked.signers, 'eve', 'eve', 'bob'), {
        sequence: 99,
      });
      return reading(scene.runner());
    },
  },
  {
    ...{
      name: 'leaver-restores',
      who: 'former operator',
      what: 'a commit that claims to restore a state from before the removal',
    },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await scene.revoked.show();
      const { revision } = await scene.stranger().read();
      await scene.head.show();
      await scene.pushSigned('eve', scene.revoked.files, { regained: revision });
      return reading(scene.runner());
    },
  },
  {
    ...{ name: 'leaver-returns', who: 'former operator', what: "a list of signers with themselves, on top of today's" },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await scene.pushSigned('eve', await listing(scene, scene.head, scene.head.signers, 'eve', 'ada', 'bob', 'eve'));
      return reading(scene.runner());
    },
  },
  {
    ...{
      name: 'leaver-meets-absent',
      who: 'former operator',
      what: 'a chain that ends before the removal, for a colleague whose computer has not seen the removal',
    },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await scene.pushSigned('eve', scene.revoked.files);
      return reading(scene.member('bob').session());
    },
  },
  {
    ...{
      name: 'leaver-meets-pin',
      who: 'former operator',
      what: 'the same with the number of the list that ?key= names',
    },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await scene.pushSigned('eve', scene.revoked.files, { sequence: scene.before.signers.at(-1)?.sequence ?? 0 });
      return reading(scene.pinned());
    },
  },
  ...merges.map(
    ([name, what, parents]): Attack => ({
      ...{ name, who: 'former operator', what, expected: 'E_STORE_TAMPERED', engines: ['git'] },
      async play(scene) {
        await scene.pushMerge('eve', scene.revoked.files, parents(scene));
        const both = [await reading(scene.runner()), await reading(scene.member('bob').session())];
        return both.find((one) => one === 'accepted') ?? (both[0] as string);
      },
    }),
  ),
  {
    ...{
      name: 'leaver-offline',
      who: 'former operator',
      what: 'the same for a runner without memory, and then nobody reaches the server',
    },
    ...{ expected: 'E_STORE_UNREACHABLE', engines: ['git'] },
    async play(scene) {
      await scene.pushSigned('eve', scene.revoked.files);
      const runner = scene.runner();
      const first = await reading(runner);
      if (first !== 'E_STORE_TAMPERED') return first;
      scene.cut?.();
      return reading(runner);
    },
  },
  {
    ...{
      name: 'leaver-blocks-runners',
      who: 'former operator',
      what: 'a commit with signers that no operator knows, below a restoration',
    },
    expected: 'accepted',
    async play(scene) {
      await scene.pushSigned('eve', await listing(scene, scene.revoked, scene.revoked.signers, 'eve', 'eve'));
      await restoreTeamStore(scene.member('ada').session());
      return reading(scene.runner());
    },
  },
  {
    ...{
      name: 'leaver-merges-line',
      who: 'former operator',
      what: 'merges commits that go on from before the removal, to keep new runners from a restored store',
    },
    ...{ expected: 'E_STORE_TAMPERED, with ?key= accepted', engines: ['git'] },
    async play(scene) {
      await scene.revoked.show();
      await scene.pushSigned('eve', await listing(scene, scene.revoked, scene.revoked.signers, 'eve', 'eve'));
      const { revision } = await scene.stranger().read();
      scene.merge?.([scene.head.revision, revision]);
      return newRunners(scene);
    },
  },
  {
    ...{
      name: 'leaver-forks',
      who: 'former operator',
      what: 'with the server: goes on from before the removal, for who has seen it',
    },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await scene.revoked.show();
      for (const name of ['u', 'v', 'w', 'x'])
        await scene.write(scene.member('eve'), { hosts: { [name]: sampleHost(name, 1) } });
      return reading(scene.member('ada').session());
    },
  },
  {
    ...{ name: 'leaver-accepted', who: 'former operator', what: 'the same, where a user says --accept' },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await scene.revoked.show();
      await scene.write(scene.member('eve'), EVIL);
      return refusalOf(checkTeamStore(scene.member('ada').session(), true));
    },
  },
  {
    ...{ name: 'leaver-blocks-restore', who: 'former operator', what: 'the same, to keep operators from restoring' },
    expected: 'restored',
    async play(scene) {
      await scene.revoked.show();
      for (const name of ['u', 'v', 'w', 'x'])
        await scene.write(scene.member('eve'), { hosts: { [name]: sampleHost(name, 1) } });
      await restoreTeamStore(scene.member('ada').session());
      const { hosts } = await teamStore(scene.member('ada').session()).read();
      return hosts.has('next') && !hosts.has('u') ? 'restored' : 'lost';
    },
  },
];

const looking: readonly Attack[] = [
  {
    ...{ name: 'looker-writes', who: 'operator without the CA', what: 'changes a host with the program' },
    expected: 'E_STORE_READ_ONLY',
    play: (scene) => refusalOf(scene.write(scene.member('carol'), EVIL)),
  },
  {
    ...{ name: 'looker-adds', who: 'operator without the CA', what: 'adds an operator with the program' },
    expected: 'E_STORE_READ_ONLY',
    play: (scene) => refusalOf(addOperator(scene.member('carol').session(), { ...scene.member('mallory'), ca: true })),
  },
  {
    ...{ name: 'looker-removes', who: 'operator without the CA', what: 'removes an operator with the program' },
    expected: 'E_STORE_READ_ONLY',
    play: (scene) => refusalOf(removeOperator(scene.member('carol').session(), 'ada')),
  },
  {
    ...{ name: 'looker-signs', who: 'operator without the CA', what: 'a commit with their own key' },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await scene.pushSigned('carol', scene.head.files);
      return reading(scene.member('ada').session());
    },
  },
  {
    ...{ name: 'looker-lists', who: 'operator without the CA', what: 'a list of signers with themselves' },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await scene.pushSigned(
        'carol',
        await listing(scene, scene.head, scene.head.signers, 'carol', 'ada', 'bob', 'carol'),
      );
      return reading(scene.member('ada').session());
    },
  },
  {
    ...{ name: 'looker-keys', who: 'operator without the CA', what: 'opens the keys of the CA, a host or a client' },
    expected: 'no key',
    async play(scene) {
      const { ca, hosts, clients } = await teamStore(scene.member('carol').session()).read();
      const keys = [ca?.keyPem, hosts.get('web')?.serverKey, clients.get('anna')?.key];
      return keys.every((key) => key === undefined) ? 'no key' : 'a key';
    },
  },
];

const colleagues: readonly Attack[] = [
  {
    ...{
      name: 'colleague-as-another',
      who: 'colleague with bad intent',
      what: 'a change under the name of another operator',
    },
    expected: 'signed by bob: x',
    async play(scene) {
      await scene.pushSigned('bob', scene.head.files, { by: 'ada (ada@laptop)' });
      return shownAs(scene.runner());
    },
  },
  {
    ...{
      name: 'colleague-hidden-signer',
      who: 'colleague with bad intent',
      what: 'a signer who is not in the output of operator list',
    },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await scene.pushSigned(
        'bob',
        await listing(scene, scene.head, scene.head.signers, 'bob', 'ada', 'bob', 'mallory'),
      );
      return reading(scene.member('ada').session());
    },
  },
  {
    ...{
      name: 'colleague-hidden-operator',
      who: 'colleague with bad intent',
      what: 'an operator who opens the CA and is no signer',
    },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await scene.pushSigned('bob', await relisted(scene, true));
      return reading(scene.member('ada').session());
    },
  },
  {
    ...{
      name: 'colleague-unlists',
      who: 'colleague with bad intent',
      what: 'takes a signer away, and leaves the operator in the list',
    },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await scene.pushSigned('bob', await listing(scene, scene.head, scene.head.signers, 'bob', 'bob'));
      return reading(scene.member('ada').session());
    },
  },
  {
    ...{ name: 'colleague-unseals', who: 'colleague with bad intent', what: 'a list of operators that does not open' },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await scene.pushSigned('bob', new Map([...scene.head.files, [OPERATORS, Buffer.from('x')]]));
      return reading(scene.member('ada').session());
    },
  },
  {
    ...{
      name: 'colleague-counts-back',
      who: 'colleague with bad intent',
      what: 'a commit with a number that is not higher than the one before',
    },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await scene.pushSigned('bob', scene.head.files, { sequence: 2 });
      return reading(scene.runner());
    },
  },
  {
    ...{
      name: 'colleague-spoils-memory',
      who: 'colleague with bad intent',
      what: 'a state that does not open, where a user says --accept; then the real one is back',
    },
    expected: 'accepted',
    async play(scene) {
      await scene.pushSigned('bob', new Map([...scene.head.files, [OPERATORS, Buffer.from('x')]]));
      const refused = await refusalOf(checkTeamStore(scene.member('ada').session(), true));
      await scene.head.show();
      return refused === 'accepted' ? 'remembered' : reading(scene.member('ada').session());
    },
  },
  {
    ...{
      name: 'colleague-undoes',
      who: 'colleague with bad intent',
      what: "puts the state from before a revocation back, in the place of today's",
    },
    expected: 'E_STORE_OLDER',
    async play(scene) {
      await scene.before.show();
      await scene.pushSigned('bob', scene.before.files, { sequence: 99 });
      return reading(scene.member('ada').session());
    },
  },
];

export const OPERATOR_ATTACKS: readonly Attack[] = [...former, ...looking, ...colleagues];
