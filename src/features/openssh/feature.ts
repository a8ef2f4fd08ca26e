/** Feature for the system's ssh: its configuration, the transport for what ssh2 cannot do, and `docker-tls ssh`; its additions to the core. */

import { listCommand } from '../../cli/command.ts';
import { COMMAND_SEAM } from '../../core/seams/feature-commands.ts';
import { FEATURE_SETTINGS } from '../../core/seams/feature-settings.ts';
import { SSH_CONFIG } from '../../core/seams/ssh-config.ts';
import { TRANSPORTS } from '../../core/seams/transports.ts';

FEATURE_SETTINGS.add('configFile', 'transport');
SSH_CONFIG.add({
  configured: async (options, endpoint) => (await import('./adapters/ssh-config.ts')).configured(options, endpoint),
});
TRANSPORTS.add({
  name: 'openssh',
  open: async (options) => (await import('./adapters/openssh.ts')).connectOpenSsh(options),
  agentKey: async (socket) => (await import('./adapters/agent-keys.ts')).agentKey(socket),
});
COMMAND_SEAM.add(
  listCommand(
    { name: 'ssh', summary: 'Log in to a host by SSH, as docker-tls does' },
    () => import('./commands/ssh.ts'),
  ),
);
