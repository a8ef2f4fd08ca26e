/** `store export --out FILE`: the whole store as one encrypted file. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import type { ActionContext } from '../../../core/actions/action-context.ts';
import { checkOut, writeOut } from '../../../core/actions/input-output.ts';
import { MODES } from '../../../core/adapters/store/modes.ts';
import { Secret } from '../../../core/domain/secret.ts';
import { plural } from '../../../core/domain/words.ts';
import { usage } from '../../../errors/errors.ts';
import { packTar } from '../../../formats/tar.ts';
import { recipientsIn } from '../actions/recipients.ts';
import { teamOf, wholeState } from '../actions/team-session.ts';
import { checkRecipient, encryptFor } from '../store/age.ts';
import { storeFiles } from '../store/whole.ts';

export type StoreExportDocument =
  | { readonly recipients: number; readonly dryRun: true }
  /** `recipients`: how many keys can open the file. */
  | { readonly file: string; readonly recipients: number };

export const command = defineCommand({
  scope: ['changes', 'store'],
  about:
    'A tar archive of the directory layout, encrypted for --recipient (an SSH public key, age1…, or a file with one), or for the operators of a shared store. age unpacks it without docker-tls.',
  examples: [
    'docker-tls store export --out store.tar.age --recipient "$(cat ~/.ssh/id_ed25519.pub)"',
    '(umask 077; mkdir restored; age -d -i ~/.ssh/id_ed25519 store.tar.age | tar -x -C restored)',
  ],
  args: {},
  options: {
    out: { kind: 'text', value: 'FILE', summary: 'the file', completes: 'file' },
    recipient: { kind: 'list', value: 'KEY', summary: 'keys that can open it' },
    replace: { kind: 'flag', summary: 'replace a file of this name' },
  },
  async run(context): Promise<CommandResult<StoreExportDocument>> {
    const { global, runtime, options } = context;
    const { out, recipient, replace } = options;
    if (out === undefined) throw usage('--out is missing', ['docker-tls store export --out store.tar.age']);
    const file = { runtime, global, out, replace, binary: true };
    checkOut(file, true);
    const state = await wholeState(context);
    const given = await Promise.all(recipient.map((one) => recipientsIn(one, runtime.cwd)));
    const to = given.length > 0 ? await Promise.all(given.flat().map(checkRecipient)) : await openingCa(context);
    if (to.length === 0)
      throw usage('--recipient is missing: whose key opens the file', ['--recipient "$(cat ~/.ssh/id_ed25519.pub)"']);
    const recipients = to.length;
    if (global.dryRun) return { exit: 0, result: { recipients, dryRun: true }, text: 'would write the file' };
    const files = storeFiles(state).map(([name, { bytes, kind }]) => ({
      name,
      data: typeof bytes === 'string' ? Buffer.from(bytes) : bytes.reveal(),
      mode: MODES[kind],
    }));
    const path = await writeOut({ ...file, data: new Secret(await encryptFor(to, packTar(files, runtime.now()))) });
    return { exit: 0, result: { file: path, recipients }, text: `${path}: ${plural(recipients, 'key')} can open it` };
  },
});

/** Keys of the operators who can open the CA; empty if the store is a directory. */
async function openingCa(context: ActionContext): Promise<readonly string[]> {
  const operators = (await teamOf(context)?.read())?.operators ?? [];
  return operators.filter(({ ca }) => ca).map(({ recipient }) => recipient);
}
