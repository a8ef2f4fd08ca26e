/** `operator list`: operators of a shared store. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { coloursOf } from '../../../core/render/colours.ts';
import { renderTable } from '../../../core/render/table.ts';
import { sharedStoreOf } from '../actions/team-session.ts';
import { listOperators } from '../store/admin.ts';
import { type OperatorDocument, operatorDocument } from './operator-document.ts';

export type OperatorListDocument = {
  readonly store: string;
  /** Fingerprint of the operators whose signatures count; absent for an empty store. */
  readonly signers?: string;
  readonly operators: readonly OperatorDocument[];
};

export const command = defineCommand({
  scope: ['store'],
  about:
    'The last line has the fingerprint of the signers, who are the operators who can open the CA: compare it with a colleague when you use a store for the first time.',
  examples: ['docker-tls operator list'],
  args: {},
  options: {},
  async run(context): Promise<CommandResult<OperatorListDocument>> {
    const { io } = context.runtime;
    const session = sharedStoreOf(context);
    const store = session.url;
    const { signers, operators } = await listOperators(session);
    const result = { store, signers, operators: operators.map(operatorDocument) };
    if (operators.length === 0)
      return {
        exit: 0,
        result,
        text: `${store} has no operator yet. Make it yours with:`,
        next: ['docker-tls operator add NAME'],
      };
    const table = renderTable(
      [{ title: 'OPERATOR' }, { title: 'CA' }, { title: 'CLIENT' }, { title: 'SINCE' }, { title: 'KEY', shrinkTo: 20 }],
      operators.map((one) => [
        one.name,
        one.ca ? 'opens' : 'no',
        one.client ?? '',
        one.addedAt.slice(0, 10),
        one.recipient.startsWith('ssh-') ? `${one.recipient.slice(0, 12)}…${one.recipient.slice(-16)}` : one.recipient,
      ]),
      { columns: io.columns, titleStyle: coloursOf(io).dim },
    );
    return { exit: 0, result, text: `${table}\n${store}: signers ${signers}` };
  },
});
