/** `operator add|remove|list`: operators of a shared store, and their right to open its CA. */

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ActionContext } from '../../../core/actions/action-context.ts';
import { readIn } from '../../../core/actions/files.ts';
import { agree } from '../../../core/actions/prompts.ts';
import { addOperator, listOperators, type NewOperator, removeOperator } from '../store/admin.ts';
import { checkRecipient } from '../store/age.ts';
import type { Operator as StoredOperator } from '../store/operators.ts';
import { noRecipient } from '../store/ssh-keys.ts';
import { sharedStoreOf } from './team-session.ts';

/** An operator of a shared store, with their key. */
export type Operator = StoredOperator;

export type OperatorList = {
  readonly store: string;
  readonly signer?: string;
  readonly operators: readonly Operator[];
};

export async function operatorsOf(context: ActionContext): Promise<OperatorList> {
  const session = sharedStoreOf(context);
  return { store: session.url, ...(await listOperators(session)) };
}

/** `recipient`: text, or the path of a file with it. With --dry-run only checks for obstacles. */
export async function giveAccess(
  context: ActionContext,
  { recipient, ...wanted }: NewOperator,
): Promise<{ readonly operator: Operator; readonly store: string }> {
  const session = sharedStoreOf(context);
  const store = session.url;
  const [text, ...more] = recipient === undefined ? [] : await recipientsIn(recipient, context.runtime.cwd);
  if (recipient !== undefined && more.length > 0) {
    await checkRecipient(text ?? '');
    throw noRecipient(recipient, 'the file holds several keys, and an operator has one');
  }
  const { dryRun } = context.global;
  return { store, operator: await addOperator(session, { ...wanted, recipient: text }, { dryRun }) };
}

/** Lines of the file without comments if the text is a file name, otherwise the text itself. Fails with E_FILE (exit 2). */
export async function recipientsIn(text: string, cwd: string): Promise<readonly string[]> {
  if (!existsSync(resolve(cwd, text))) return [text];
  const lines = (await readIn(text, cwd)).toString('utf8').split(/\r?\n/);
  const found = lines.filter((line) => /^\s*[^\s#]/.test(line));
  return found.length > 0 ? found : [''];
}

export type Removed = {
  readonly removed: Operator;
  readonly left: readonly Operator[];
  /** A CA exists whose key the operator may have copied. */
  readonly hasCa: boolean;
};

/** Asks for confirmation first. */
export async function takeAccess(context: ActionContext, name: string): Promise<Removed> {
  const session = sharedStoreOf(context);
  const { operators } = await listOperators(session);
  const found = operators.find((one) => one.name === name);
  if (found !== undefined && context.global.dryRun)
    return { removed: found, left: operators.filter((one) => one !== found), hasCa: true };
  if (found !== undefined)
    await agree(context.prompts, `Remove the operator ${name}, and encrypt everything again for the others?`);
  const { state, ...done } = await removeOperator(session, name);
  return { ...done, hasCa: state.ca !== undefined };
}
