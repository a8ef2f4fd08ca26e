/** Feature for the diagnosis of hosts that docker does not reach: its additions to the core. */

import { listCommand } from '../../cli/command.ts';
import { COMMAND_SEAM } from '../../core/seams/feature-commands.ts';
import { OFFERED_COMMANDS } from '../../core/seams/offered-commands.ts';

COMMAND_SEAM.add(
  listCommand(
    {
      name: 'doctor',
      summary: 'Diagnose why docker cannot reach a host, and print the fix',
      triedAs: ['check', 'test'],
    },
    () => import('./commands/doctor.ts'),
  ),
);
OFFERED_COMMANDS.add({ purpose: 'diagnosis', command: 'docker-tls doctor' });
