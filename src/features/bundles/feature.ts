/** Feature for credentials that leave this computer or come to it, as bundles and as requests: its additions to the core. */

import { type CommandGroup, listCommand } from '../../cli/command.ts';
import { COMMAND_SEAM } from '../../core/seams/feature-commands.ts';
import { OFFERED_COMMANDS } from '../../core/seams/offered-commands.ts';
import { REACHED_HOSTS } from '../../core/seams/reached-hosts.ts';

/** The core's group, with these commands in it. */
const CLIENTS: CommandGroup = { name: 'clients', summary: 'Who may use the hosts: add, list, export, import, revoke' };

COMMAND_SEAM.add(
  listCommand(
    {
      name: 'client export',
      summary: 'Export a client as one file for another computer, a keychain or CI',
      group: CLIENTS,
    },
    () => import('./commands/client-export.ts'),
  ),
  listCommand(
    { name: 'client import', summary: 'Import the credentials of a client from a bundle', group: CLIENTS },
    () => import('./commands/client-import.ts'),
  ),
  listCommand(
    {
      name: 'client request',
      summary: 'Create a key that stays on this computer, and a request for its certificate',
      group: CLIENTS,
    },
    () => import('./commands/client-request.ts'),
  ),
  listCommand(
    { name: 'client sign', summary: "Sign a colleague's request; the key stays with its owner", group: CLIENTS },
    () => import('./commands/client-sign.ts'),
  ),
);
OFFERED_COMMANDS.add(
  { purpose: 'request', command: 'docker-tls client request' },
  { purpose: 'signature', command: 'docker-tls client sign' },
  { purpose: 'export', command: 'docker-tls client export' },
  { purpose: 'import', command: 'docker-tls client import' },
);
REACHED_HOSTS.add({
  load: async () => ({
    ...(await import('./engine/reached-hosts.ts')),
    ...(await import('./render/reached-table.ts')),
  }),
});
