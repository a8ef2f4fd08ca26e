/** `operator remove NAME`: re-encrypts a shared store for the remaining operators. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { agree } from '../../../core/actions/ask.ts';
import { isEncrypted } from '../../../core/domain/pki/keys.ts';
import { activeClients } from '../../../core/domain/trust/clients.ts';
import { storedKeys } from '../../../core/engine/key-protection.ts';
import { offeredCommands } from '../../../core/seams/offered-commands.ts';
import { sharedStoreOf } from '../actions/team-session.ts';
import { listOperators, removeOperator } from '../store/admin.ts';
import type { Operator } from '../store/operators.ts';

export type OperatorRemoveDocument = {
  readonly removed: string;
  /** The operators who remain. */
  readonly left: readonly string[];
  /** Keys that the removed operator may have copied. */
  readonly rotate: readonly 'ca'[];
  /** The removed operator may know the passphrase of the store's keys: `ca passphrase` changes it. */
  readonly passphrase: boolean;
  readonly dryRun?: true;
};

export const command = defineCommand({
  scope: ['changes', 'store'],
  about:
    'Everything is encrypted again under new keys. The operator can still read their copies, so the output names the keys to rotate.',
  examples: ['docker-tls operator remove bob'],
  args: { name: { summary: 'the operator', required: true } },
  options: {},
  /** Asks for confirmation first. */
  async run(context) {
    const { name } = context.args;
    const { dryRun } = context.global;
    const session = sharedStoreOf(context);
    const { operators } = await listOperators(session);
    if (!dryRun && operators.some((one) => one.name === name))
      await agree(context.prompts, `Remove the operator ${name}, and encrypt everything again for the others?`);
    const { state, removed, left } = await removeOperator(session, name, { dryRun });
    const hasPassphrase = storedKeys(state).some(isEncrypted);
    // A fleet file names the client of an operator like the operator, without the store's knowledge of whose it is.
    const own = activeClients(state).find(({ record }) => record.name === (removed.client ?? name))?.record.name;
    return renderRemoved(removed, left, { mayHaveCa: state.ca !== undefined, hasPassphrase, own, dryRun });
  },
});

/**
 * `mayHaveCa`: a CA exists, whose key the operator may have copied if they could open it. `hasPassphrase`: they know its passphrase.
 * `own`: their client.
 */
function renderRemoved(
  { name, ca, client }: Operator,
  left: readonly Operator[],
  {
    mayHaveCa,
    hasPassphrase,
    own,
    dryRun,
  }: {
    readonly mayHaveCa: boolean;
    readonly hasPassphrase: boolean;
    readonly own: string | undefined;
    readonly dryRun: boolean;
  },
): CommandResult<OperatorRemoveDocument> {
  const passphrase = ca && hasPassphrase;
  const next = [
    ...(passphrase ? [`a passphrase that ${name} does not know: docker-tls ca passphrase`] : []),
    ...(ca && mayHaveCa
      ? offeredCommands('new CA').map((one) => `a new CA, and new certificates for every host and client: ${one}`)
      : []),
    ...(own === undefined ? [] : [`docker-tls client revoke ${own}`]),
    'and take away the right to read and write the repository',
  ];
  const kept = ca
    ? 'the key of the CA, those of its clients, and the records'
    : `the records${client === undefined ? '' : `, and the key of client ${client}`}`;
  return {
    exit: 0,
    result: {
      removed: name,
      left: left.map((one) => one.name),
      rotate: ca && mayHaveCa ? ['ca'] : [],
      passphrase,
      dryRun: dryRun || undefined,
    },
    text: [
      `operator ${name}: ${dryRun ? 'would be removed' : `removed, and everything is encrypted again under new keys for ${left.map((one) => one.name).join(', ')}`}`,
      `${name} can still read their copies: ${kept}. The history of the repository counts as a copy.`,
    ].join('\n'),
    next,
  };
}
