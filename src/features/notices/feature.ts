/** Feature for expiry notices after docker commands: its addition to the core. bin/docker-tls.js starts its hook. */

import { listCommand } from '../../cli/command.ts';
import { COMMAND_SEAM } from '../../core/seams/feature-commands.ts';

COMMAND_SEAM.add(
  listCommand(
    { name: 'notices', summary: 'Turn expiry warnings after docker commands on or off' },
    () => import('./commands/notices.ts'),
  ),
);
