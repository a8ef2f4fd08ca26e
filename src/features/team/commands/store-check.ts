/** `store check`: checks that a shared store is complete, genuine and up to date. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { agree } from '../../../core/actions/ask.ts';
import type { StoreMark } from '../../../core/domain/plan/host-state.ts';
import { plural } from '../../../core/domain/words.ts';
import { askWitnesses, errorsOf, type WitnessDocument, witnessLines } from '../actions/ask-witnesses.ts';
import { sharedStoreOf } from '../actions/team-session.ts';
import { expiryOf, hasExpired, NEVER } from '../store/freshness.ts';
import { checkTeamStore } from '../store/restore-store.ts';
import { expired } from '../store/store-refusals.ts';
import { markOf } from '../store/witnesses.ts';
import { WITNESS_OPTIONS } from './witness-options.ts';

export type StoreCheckDocument = {
  readonly store: string;
  /** The number of the commit. */
  readonly sequence: number;
  /** Fingerprint of the operators whose signatures count. */
  readonly signers: string;
  /** How many there are. */
  readonly files: number;
  readonly operators: number;
  /** This revision, for other places to compare with: publish this document, and pass its address as --witness. */
  readonly head: StoreHeadDocument;
  /** When this state expires; absent: never. */
  readonly expires?: Date;
  /** One for each host or address that was asked. */
  readonly witnesses?: readonly WitnessDocument[];
};

/** A revision of the store. */
export type StoreHeadDocument = {
  /** The store's ID: the fingerprint of its first signing key. */
  readonly id: string;
  /** The number of the commit. */
  readonly number: number;
  /** Covers the signed list of this commit, and the history before it. */
  readonly hash: string;
};

export const command = defineCommand({
  scope: ['changes', 'hosts', 'fleet', 'store'],
  about:
    'Every file is compared with the signed list, opened and read, as far as your key opens it.\n--accept: the state that is there now counts as the newest, though this computer has seen a newer one.\n--witness hosts asks every host which commit it was last changed from. --witness URL reads what another place has seen: a mirror of the repository (git+ssh://…), or the output of "store check --json" at an https address.',
  examples: [
    'docker-tls store check',
    'docker-tls store check --witness hosts --witness https://status.example.org/docker-tls.json',
    'docker-tls store check --accept',
  ],
  args: {},
  options: {
    accept: { kind: 'flag', summary: 'continue with an older state, such as one from a backup' },
    witness: { kind: 'list', value: 'hosts|URL', summary: 'compare with what the hosts, or another place, have seen' },
    ...WITNESS_OPTIONS,
  },
  async run(context): Promise<CommandResult<StoreCheckDocument>> {
    const { accept, witness } = context.options;
    const session = sharedStoreOf(context);
    session.acceptAnyAge();
    const store = session.url;
    if (accept)
      await agree(context.prompts, `Accept what is in ${store} now, though this computer has seen a newer state?`);
    const found = await checkTeamStore(session, accept && !context.global.dryRun);
    const { sequence, signers, files, operators } = found;
    const about = `${plural(files, 'file')}, ${plural(operators, 'operator')}, commit ${sequence}, signers ${signers}`;
    const opened = await session.read();
    const { id, number, hash } = markOf(opened) as StoreMark;
    const head = { id, number, hash };
    const answers = await askWitnesses(context, session, witness, context.options);
    const documents = answers.map(({ document }) => document);
    const { last } = opened;
    if (last !== undefined && expiryOf(last) === undefined) context.progress.note(NEVER);
    const old = last === undefined || !hasExpired(last, session.now()) ? [] : [expired(store, last, session.now())];
    const errors = [...old, ...errorsOf(answers)];
    return {
      exit: 0,
      result: {
        store,
        sequence,
        signers,
        files,
        operators,
        head,
        expires: last && expiryOf(last),
        witnesses: witness.length > 0 ? documents : undefined,
      },
      text: [`${store} is whole: ${about}`, ...witnessLines(documents)].join('\n'),
      attention: '',
      errors,
    };
  },
});
