/** `store export`: a whole store as one encrypted file. */

import type { ActionContext } from '../../../core/actions/action-context.ts';
import { checkOut, type OutOptions, writeOut } from '../../../core/actions/files.ts';
import { packTar } from '../../../core/adapters/docker/tar.ts';
import { MODES } from '../../../core/adapters/store/modes.ts';
import { Secret } from '../../../core/domain/secret.ts';
import { usage } from '../../../errors/errors.ts';
import { checkRecipient, encryptFor } from '../store/age.ts';
import { filesOf } from '../store/whole.ts';
import { recipientsIn } from './operators.ts';
import { wholeState } from './store-copy.ts';
import { teamOf } from './team-session.ts';

/** Backup in one file: the directory layout as a tar archive, encrypted by age. Resolves to its path. */
export async function exportStore(
  context: ActionContext,
  { recipients, out, replace }: OutOptions & { readonly recipients: readonly string[] },
): Promise<{ readonly file: string | undefined; readonly recipients: number }> {
  const { global, runtime } = context;
  if (out === undefined) throw usage('--out is missing', ['docker-tls store export --out store.tar.age']);
  const file = { runtime, global, out, replace, binary: true };
  checkOut(file, true);
  const state = await wholeState(context);
  const given = await Promise.all(recipients.map((one) => recipientsIn(one, runtime.cwd)));
  const to = given.length > 0 ? await Promise.all(given.flat().map(checkRecipient)) : await openingCa(context);
  if (to.length === 0)
    throw usage('--recipient is missing: whose key opens the file', ['--recipient "$(cat ~/.ssh/id_ed25519.pub)"']);
  if (global.dryRun) return { file: undefined, recipients: to.length };
  const files = filesOf(state).map(([name, { bytes, kind }]) => ({
    name,
    data: typeof bytes === 'string' ? Buffer.from(bytes) : bytes.reveal(),
    mode: MODES[kind],
  }));
  const data = new Secret(await encryptFor(to, packTar(files, runtime.now())));
  return { file: await writeOut({ ...file, data }), recipients: to.length };
}

/** Keys of the operators who can open the CA; empty if the store is a directory. */
async function openingCa(context: ActionContext): Promise<readonly string[]> {
  const operators = (await teamOf(context)?.read())?.operators ?? [];
  return operators.filter(({ ca }) => ca).map(({ recipient }) => recipient);
}
