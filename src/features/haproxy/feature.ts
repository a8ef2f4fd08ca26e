/** Feature for HAProxy as the listener, and roles of clients: its additions to the core. */

import { listCommand } from '../../cli/command.ts';
import { COMMAND_SEAM } from '../../core/seams/feature-commands.ts';
import { FEATURE_SETTINGS } from '../../core/seams/feature-settings.ts';
import { LISTENERS } from '../../core/seams/listeners.ts';
import { ROLE_NAMES } from './domain/role-names.ts';

FEATURE_SETTINGS.add('listener', 'roles', 'otherClients', 'role');
LISTENERS.add({ name: 'haproxy', roles: ROLE_NAMES, load: () => import('./engine/open-listener.ts') });

COMMAND_SEAM.add(
  listCommand({ name: 'role list', summary: 'List roles' }, () => import('./commands/role-list.ts')),
  listCommand({ name: 'role show', summary: 'Show what a role allows' }, () => import('./commands/role-show.ts')),
  listCommand(
    { name: 'role suggest', summary: 'Suggest the smallest role for what a client did' },
    () => import('./commands/role-suggest.ts'),
  ),
  listCommand(
    { name: 'client log', summary: 'Show what clients did on a host' },
    () => import('./commands/client-log.ts'),
  ),
  listCommand(
    { name: 'role test', summary: 'Check whether a role allows a request' },
    () => import('./commands/role-test.ts'),
  ),
);
