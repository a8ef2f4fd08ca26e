/** Attacks of whoever administers the server, or can write to it without a key of an operator. */

import { addOperator } from '../../../../../src/features/team/store/admin.ts';
import { encryptFor } from '../../../../../src/features/team/store/age.ts';
import { OPERATORS } from '../../../../../src/features/team/store/contents.ts';
import { checkTeamStore, restoreTeamStore } from '../../../../../src/features/team/store/restore-store.ts';
import { readLog } from '../../../../../src/features/team/store/signed-log.ts';
import { SIGNERS, signersAmong, withSigners } from '../../../../../src/features/team/store/signers.ts';
import { MANIFEST } from '../../../../../src/features/team/store/store-manifest.ts';
import { sampleHost } from '../../../../support/store.ts';
import { enrol } from '../team.ts';
import type { Attack } from './attack.ts';
import { newRunners, reading, refusalOf, shownAs } from './outcomes.ts';
import type { Scene } from './scene.ts';

type Files = ReadonlyMap<string, Uint8Array>;
const bytes = (text: string) => Buffer.from(text);
const textOf = (files: Files, path: string) => Buffer.from(files.get(path) ?? []).toString();

/** The head with files changed or, where undefined, missing. */
function altered({ head }: Scene, changes: Readonly<Record<string, Uint8Array | undefined>>): Files {
  const files = new Map(head.files);
  for (const [path, content] of Object.entries(changes)) {
    if (content === undefined) files.delete(path);
    else files.set(path, content);
  }
  return files;
}

/** A whole store of mallory, well signed, with the readers as operators; or only with bob, who may look. */
export async function foreign(scene: Scene, alone = false): Promise<Files> {
  await scene.empty();
  const [mallory, ada, bob] = ['mallory', 'ada', 'bob'].map((name) => scene.member(name));
  const strange = {
    ...(mallory as NonNullable<typeof mallory>),
    session: () => scene.open(mallory as NonNullable<typeof mallory>),
  };
  if (alone) {
    await enrol(strange);
    await addOperator(strange.session(), { ...(bob as NonNullable<typeof bob>), ca: false });
  } else await enrol(strange, ada as NonNullable<typeof ada>, bob as NonNullable<typeof bob>);
  return (await scene.stranger().read()).files;
}

/** Files that are not what was signed, on top of the head. */
const swaps: readonly [name: string, what: string, changes: (scene: Scene) => Parameters<typeof altered>[1]][] = [
  ['swap-file', 'another content of a file', () => ({ 'hosts/web/public': bytes('x') })],
  ['drop-file', 'a file is missing', () => ({ 'clients/anna/public': undefined })],
  ['add-file', 'a file that no list names', () => ({ 'hosts/other/public': bytes('x') })],
  [
    'move-file',
    'a sealed file in the place of another',
    ({ head }) => ({ 'hosts/web/public': head.files.get('hosts/next/public') }),
  ],
  [
    'old-file',
    'the client from before the revocation, the rest of today',
    ({ before }) => ({ 'clients/anna/public': before.files.get('clients/anna/public') }),
  ],
  [
    'old-operators',
    'the list of operators from before the removal',
    ({ before }) => ({ [OPERATORS]: before.files.get(OPERATORS) }),
  ],
  [
    'edit-manifest',
    'a higher number in the manifest',
    ({ head }) => ({ [MANIFEST]: bytes(textOf(head.files, MANIFEST).replace(/"sequence": \d+/, '"sequence": 99')) }),
  ],
  ['old-manifest', 'the manifest of an older commit', ({ revoked }) => ({ [MANIFEST]: revoked.files.get(MANIFEST) })],
  [
    'unsigned-manifest',
    'a manifest without its signature',
    ({ head }) => ({ [MANIFEST]: bytes(textOf(head.files, MANIFEST).split('\n\n')[0] ?? '') }),
  ],
  [
    'cut-signers',
    'the chain of signers from before a removal',
    ({ before }) => ({ [SIGNERS]: before.files.get(SIGNERS) }),
  ],
];

export const SERVER_ATTACKS: readonly Attack[] = [
  ...swaps.map(
    ([name, what, changes]): Attack => ({
      ...{ name, who: 'pusher without a key', what, expected: 'E_STORE_TAMPERED' },
      async play(scene) {
        await scene.push(altered(scene, changes(scene)));
        return reading(scene.runner());
      },
    }),
  ),
  {
    ...{
      name: 'new-recipient',
      who: 'pusher without a key',
      what: 'the key of the store for a recipient of their own',
    },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      const own = await encryptFor(
        [scene.member('mallory').recipient, scene.member('bob').recipient],
        bytes('{"key":"AAAA"}'),
      );
      await scene.push(altered(scene, { 'keys/store.age': own }));
      return reading(scene.runner());
    },
  },
  {
    ...{ name: 'own-signature', who: 'pusher without a key', what: 'a commit signed with a key of no operator' },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await scene.pushSigned('mallory', scene.head.files);
      return reading(scene.runner());
    },
  },
  {
    ...{ name: 'own-signer', who: 'pusher without a key', what: 'a list of signers that only they have signed' },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      const operators = signersAmong([scene.asOperator('mallory')]);
      const chain = await withSigners(scene.head.signers, operators, 99, await scene.keyOf('mallory'));
      await scene.pushSigned('mallory', altered(scene, { [SIGNERS]: bytes(JSON.stringify(chain)) }));
      return reading(scene.runner());
    },
  },
  {
    ...{ name: 'own-store-on-top', who: 'pusher without a key', what: 'a whole store of their own on top of this one' },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      const files = await foreign(scene);
      await scene.reset();
      await scene.pushSigned('mallory', files);
      return reading(scene.runner());
    },
  },
  {
    ...{
      name: 'own-root-on-top',
      who: 'pusher without a key',
      what: 'the same, with one list of signers as if it began there',
    },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      const files = await foreign(scene);
      await scene.reset();
      const operators = signersAmong(['mallory', 'ada', 'bob'].map(scene.asOperator));
      const chain = await withSigners([], operators, 99, await scene.keyOf('mallory'));
      const root = new Map([...files, [SIGNERS, bytes(JSON.stringify(chain))]]);
      await scene.pushSigned('mallory', root, { sequence: 99 });
      return reading(scene.runner());
    },
  },
  ...(['below', 'above'] as const).map(
    (where): Attack => ({
      ...{
        name: `own-root-merged-${where}`,
        who: 'pusher without a key',
        what: `the same as a merge of the head and garbage, with the head ${where === 'below' ? 'as what is replaced' : 'as what is restored'}`,
      },
      ...{ expected: 'E_STORE_TAMPERED', engines: ['git'] },
      async play(scene) {
        const files = await foreign(scene, true);
        await scene.reset();
        const operators = signersAmong([scene.asOperator('mallory')]);
        const chain = await withSigners([], operators, 99, await scene.keyOf('mallory'));
        const root = new Map([...files, [SIGNERS, bytes(JSON.stringify(chain))]]);
        const garbage = scene.merge?.([]) ?? '';
        await scene.head.show();
        const parents = where === 'below' ? [garbage, scene.head.revision] : [scene.head.revision, garbage];
        await scene.pushMerge('mallory', root, parents, { sequence: 99 });
        return reading(scene.runner());
      },
    }),
  ),
  {
    ...{ name: 'wipe', who: 'pusher without a key', what: 'a commit without files' },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await scene.push(new Map([['README', bytes('x')]]));
      return reading(scene.runner());
    },
  },
  {
    ...{ name: 'graft', who: 'pusher without a key', what: 'the state from before a revocation as the newest' },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await scene.push(scene.before.files);
      return reading(scene.runner());
    },
  },
  {
    ...{ name: 'graft-pinned', who: 'pusher without a key', what: 'the same, for a runner with ?key=' },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await scene.push(scene.revoked.files);
      return reading(scene.pinned());
    },
  },
  {
    ...{ name: 'block-restore', who: 'pusher without a key', what: 'garbage that would keep operators from restoring' },
    expected: 'restored',
    async play(scene) {
      await scene.push(altered(scene, { README: bytes('x') }));
      await scene.push(scene.before.files);
      await restoreTeamStore(scene.member('ada').session());
      const after = await reading(scene.member('ada').session());
      return after === 'accepted' ? 'restored' : after;
    },
  },
  {
    ...{
      name: 'merge-beginning',
      who: 'pusher without a key',
      what: 'merges another first commit, to keep new runners from a restored store',
    },
    ...{ expected: 'E_STORE_TAMPERED, with ?key= accepted', engines: ['git'] },
    async play(scene) {
      const garbage = scene.merge?.([]) ?? '';
      scene.merge?.([scene.head.revision, garbage]);
      return newRunners(scene);
    },
  },
  {
    ...{
      name: 'forge-message',
      who: 'administrator of the server',
      what: 'another message of a commit that was signed',
    },
    expected: 'signed by ada: docker-tls test: host next: added, generation 1, certificate until',
    async play(scene) {
      // The same files on the same parent: only what the server says of the commit differs.
      await scene.removed.show();
      await scene.push(scene.head.files);
      return (await shownAs(scene.runner())).replace(/until .*/, 'until');
    },
  },
  {
    ...{
      name: 'forge-log',
      who: 'pusher without a key',
      what: 'a copy of a signed manifest on another commit, for the log',
    },
    expected: 'unsigned',
    async play(scene) {
      await scene.push(scene.before.files);
      await restoreTeamStore(scene.member('ada').session());
      const [, garbage] = await readLog(scene.member('ada').session(), 2);
      return garbage?.subject === 'mallory' && garbage.signedBy === undefined ? 'unsigned' : 'signed';
    },
  },
  {
    ...{ name: 'rollback', who: 'administrator of the server', what: 'a state from before a revocation' },
    expected: 'E_STORE_OLDER',
    async play(scene) {
      await scene.before.show();
      return reading(scene.member('ada').session());
    },
  },
  {
    ...{
      name: 'rollback-removal',
      who: 'administrator of the server',
      what: 'a state from before the removal of an operator',
    },
    expected: 'E_STORE_OLDER',
    async play(scene) {
      await scene.revoked.show();
      return reading(scene.member('ada').session());
    },
  },
  {
    ...{ name: 'split', who: 'administrator of the server', what: 'another line of commits for each operator' },
    expected: 'E_STORE_OLDER',
    async play(scene) {
      await scene.before.show();
      for (const name of ['u', 'v', 'w', 'x'])
        await scene.write(scene.member('bob'), { hosts: { [name]: sampleHost(name, 1) } });
      return reading(scene.member('ada').session());
    },
  },
  {
    ...{
      name: 'split-restore',
      who: 'administrator of the server',
      what: 'has the changes of a colleague undone by a restore',
    },
    expected: 'E_STORE_OLDER',
    async play(scene) {
      await scene.before.show();
      for (const name of ['u', 'v', 'w', 'x'])
        await scene.write(scene.member('bob'), { hosts: { [name]: sampleHost(name, 1) } });
      return refusalOf(restoreTeamStore(scene.member('ada').session()));
    },
  },
  {
    ...{ name: 'vanish', who: 'administrator of the server', what: 'an empty store' },
    expected: 'E_STORE_OLDER',
    async play(scene) {
      await scene.empty();
      return reading(scene.member('ada').session());
    },
  },
  {
    ...{ name: 'vanish-pinned', who: 'administrator of the server', what: 'an empty store, for a runner with ?key=' },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await scene.empty();
      return reading(scene.pinned());
    },
  },
  ...(['ada', 'pinned'] as const).map(
    (reader): Attack => ({
      ...{
        name: `own-store-${reader}`,
        who: 'administrator of the server',
        what: `a whole store of their own, for ${reader === 'ada' ? 'an operator' : 'a runner with ?key='}`,
      },
      expected: 'E_STORE_TAMPERED',
      async play(scene) {
        await foreign(scene);
        return reading(reader === 'ada' ? scene.member('ada').session() : scene.pinned());
      },
    }),
  ),
  {
    ...{ name: 'own-store-accepted', who: 'administrator of the server', what: 'the same, where a user says --accept' },
    expected: 'E_STORE_TAMPERED',
    async play(scene) {
      await foreign(scene);
      return refusalOf(checkTeamStore(scene.member('ada').session(), true));
    },
  },
];
