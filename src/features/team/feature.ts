/** Shared store feature: its additions to the core. */

import { type CommandGroup, listCommand } from '../../cli/command.ts';
import { COMMAND_SEAM } from '../../core/seams/feature-commands.ts';
import { SHARED_STORE } from '../../core/seams/stores.ts';
import { storeAddress } from './store/address.ts';

const TEAM: CommandGroup = {
  name: 'team',
  summary: 'Share one store between people and CI runners: operators, copies, backups, history',
  shared: true,
};

COMMAND_SEAM.add(
  listCommand(
    { name: 'operator add', group: TEAM, summary: 'Let a person or a runner open a shared store and its CA' },
    () => import('./commands/operator-add.ts'),
  ),
  listCommand(
    {
      name: 'operator remove',
      group: TEAM,
      summary: 'Encrypt a shared store again, without one of its operators',
      alias: 'operator rm',
    },
    () => import('./commands/operator-remove.ts'),
  ),
  listCommand(
    { name: 'operator list', group: TEAM, summary: 'List the operators of a shared store', alias: 'operator ls' },
    () => import('./commands/operator-list.ts'),
  ),
  listCommand(
    { name: 'store copy', group: TEAM, summary: 'Copy the store into a shared one, or into a directory, and compare' },
    () => import('./commands/store-copy.ts'),
  ),
  listCommand(
    { name: 'store export', group: TEAM, summary: 'The whole store as one file for a backup, encrypted with age' },
    () => import('./commands/store-export.ts'),
  ),
  listCommand(
    {
      name: 'store check',
      group: TEAM,
      summary: 'Whether a shared store is whole, signed, and the newest that was seen',
    },
    () => import('./commands/store-check.ts'),
  ),
  listCommand(
    {
      name: 'store refresh',
      group: TEAM,
      summary: "Confirm that a shared store's newest state is current",
    },
    () => import('./commands/store-refresh.ts'),
  ),
  listCommand(
    {
      name: 'store restore',
      group: TEAM,
      summary: 'Put the newest state that this computer has seen back into a shared store',
    },
    () => import('./commands/store-restore.ts'),
  ),
  listCommand(
    { name: 'log', group: TEAM, summary: 'Show the changes of a shared store: when, and by whom' },
    () => import('./commands/log.ts'),
  ),
);
SHARED_STORE.add({
  checkAddress: storeAddress,
  scheduled: ['store refresh'],
  consent: async (context) => (await import('./actions/consent.ts')).consentOf(context),
  open: async (options) => (await import('./store/open-team-store.ts')).openTeamStore(options),
});
