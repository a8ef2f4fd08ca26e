/** Feature for docker contexts and the Docker config directory of this computer: its additions to the core. */

import { listCommand } from '../../cli/command.ts';
import { COPIES } from '../../core/seams/copies.ts';
import { COMMAND_SEAM } from '../../core/seams/feature-commands.ts';
import { FEATURE_SETTINGS } from '../../core/seams/feature-settings.ts';

COMMAND_SEAM.add(
  listCommand(
    { name: 'context', summary: 'Create or update a docker context for a host', triedAs: ['use'] },
    () => import('./commands/context.ts'),
  ),
);
FEATURE_SETTINGS.add('context', 'use', 'configDirectory');
COPIES.add({ load: async () => (await import('./actions/copies.ts')).copies });
