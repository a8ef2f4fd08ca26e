/** Feature for a new CA in place of the present one: its additions to the core. */

import { listCommand } from '../../cli/command.ts';
import { COMMAND_SEAM } from '../../core/seams/feature-commands.ts';
import { OFFERED_COMMANDS } from '../../core/seams/offered-commands.ts';
import { STORE_REMARKS } from '../../core/seams/store-remarks.ts';

COMMAND_SEAM.add(
  listCommand(
    { name: 'rotate ca', summary: 'Replace the CA: accept old and new, issue from the new, drop the old' },
    () => import('./commands/rotate-ca.ts'),
  ),
);
OFFERED_COMMANDS.add({ purpose: 'new CA', command: 'docker-tls rotate ca' });
STORE_REMARKS.add({ load: async () => (await import('./domain/progress.ts')).rotationRemark });
