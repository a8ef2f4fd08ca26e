/** Feature for tunnels through SSH to the daemon of a host: its additions to the core. */

import { listCommand } from '../../cli/command.ts';
import { COMMAND_SEAM } from '../../core/seams/feature-commands.ts';
import { OFFERED_COMMANDS } from '../../core/seams/offered-commands.ts';

COMMAND_SEAM.add(
  listCommand(
    { name: 'tunnel', summary: 'Reach the daemon of a host through SSH while this command runs' },
    () => import('./commands/tunnel.ts'),
  ),
);
OFFERED_COMMANDS.add({ purpose: 'tunnel', command: 'docker-tls tunnel' });
