/** The store that a team shares: what it adds to the core. */

import { addressOf } from '../../adapters/store/team/address.ts';
import { listCommand } from '../../cli/command.ts';
import { COMMAND_SEAM } from '../../seams/commands.ts';
import { SHARED_STORE } from '../../seams/stores.ts';

COMMAND_SEAM.add(
  listCommand(
    { name: 'operator add', summary: 'Let a person or a runner open a shared store and its CA' },
    () => import('../../cli/commands/operator-add.ts'),
  ),
  listCommand(
    {
      name: 'operator remove',
      summary: 'Encrypt a shared store again, without one of its operators',
      alias: 'operator rm',
    },
    () => import('../../cli/commands/operator-remove.ts'),
  ),
  listCommand(
    { name: 'operator list', summary: 'Who can open a shared store, and its CA', alias: 'operator ls' },
    () => import('../../cli/commands/operator-list.ts'),
  ),
  listCommand(
    { name: 'store copy', summary: 'Copy the store into a shared one, or into a directory, and compare' },
    () => import('../../cli/commands/store-copy.ts'),
  ),
  listCommand(
    { name: 'store export', summary: 'The whole store as one file for a backup, encrypted with age' },
    () => import('../../cli/commands/store-export.ts'),
  ),
  listCommand(
    { name: 'store check', summary: 'Whether a shared store is whole, signed, and the newest that was seen' },
    () => import('../../cli/commands/store-check.ts'),
  ),
  listCommand(
    { name: 'store restore', summary: 'Put the newest state that this computer has seen back into a shared store' },
    () => import('../../cli/commands/store-restore.ts'),
  ),
  listCommand(
    { name: 'log', summary: 'What was changed in a shared store, when and by whom' },
    () => import('../../cli/commands/log.ts'),
  ),
);
SHARED_STORE.add({
  checkAddress: addressOf,
  open: async (options) => (await import('../../adapters/store/team/open.ts')).openTeamStore(options),
});
