/** `store export --out FILE`: the whole store as one encrypted file. */

import { defineCommand } from '../../../cli/command.ts';
import { plural } from '../../../core/domain/words.ts';
import { exportStore } from '../actions/store-export.ts';

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
  async run(context) {
    const { out, recipient, replace } = context.options;
    const { file, recipients } = await exportStore(context, { out, replace, recipients: recipient });
    const text = file === undefined ? 'would write the file' : `${file}: ${plural(recipients, 'key')} can open it`;
    return { exit: 0, result: { file, recipients, dryRun: context.global.dryRun || undefined }, text };
  },
});
