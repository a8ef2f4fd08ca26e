/** Feature for the system's ssh: the transport for what ssh2 cannot do, and `docker-tls ssh`; its additions to the core. */

import { listCommand } from '../../cli/command.ts';
import { COMMAND_SEAM } from '../../core/seams/feature-commands.ts';
import { FEATURE_SETTINGS } from '../../core/seams/feature-settings.ts';
import { TRANSPORTS } from '../../core/seams/transports.ts';

FEATURE_SETTINGS.add('transport');
TRANSPORTS.add({
  name: 'openssh',
  open: async (options) => (await import('./adapters/openssh.ts')).connectOpenSsh(options),
});
COMMAND_SEAM.add(
  listCommand(
    { name: 'ssh', summary: 'Log in to a host by SSH, as docker-tls does' },
    () => import('./commands/ssh.ts'),
  ),
);
