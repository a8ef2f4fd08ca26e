/** Feature for HAProxy as the listener, and roles of clients: its additions to the core. */

import { type CommandGroup, listCommand } from '../../cli/command.ts';
import { CHANGE_PARTS } from '../../core/seams/change-parts.ts';
import { COMMAND_SEAM } from '../../core/seams/feature-commands.ts';
import { FEATURE_SETTINGS } from '../../core/seams/feature-settings.ts';
import { LISTENERS } from '../../core/seams/listeners.ts';
import { LISTS, ROLE_NAMES } from './domain/role-names.ts';

FEATURE_SETTINGS.add('listener', 'install', 'roles', 'sockets', 'otherClients', 'role');
// The listener gets its files before services of the host itself.
CHANGE_PARTS.add({ order: 2, load: async () => (await import('./engine/change-parts.ts')).LISTENER_PARTS });
LISTENERS.add({
  name: 'haproxy',
  roles: ROLE_NAMES,
  lists: LISTS,
  load: async () => (await import('./engine/listener-code.ts')).listenerCode,
});

const ROLES: CommandGroup = { name: 'roles', summary: 'What clients may do where HAProxy listens, and what they did' };

COMMAND_SEAM.add(
  listCommand({ name: 'role list', group: ROLES, summary: 'List roles' }, () => import('./commands/role-list.ts')),
  listCommand(
    { name: 'role show', group: ROLES, summary: 'Show what a role allows' },
    () => import('./commands/role-show.ts'),
  ),
  listCommand(
    { name: 'role suggest', group: ROLES, summary: 'Suggest the smallest role for what a client did' },
    () => import('./commands/role-suggest.ts'),
  ),
  listCommand(
    { name: 'role test', group: ROLES, summary: 'Check whether a role allows a request' },
    () => import('./commands/role-test.ts'),
  ),
  listCommand(
    { name: 'socket add', group: ROLES, summary: 'Make a socket with a role for containers on a host' },
    () => import('./commands/socket-add.ts'),
  ),
  listCommand(
    { name: 'socket list', group: ROLES, summary: 'List sockets for containers' },
    () => import('./commands/socket-list.ts'),
  ),
  listCommand(
    { name: 'socket remove', group: ROLES, summary: 'Take a socket for containers away' },
    () => import('./commands/socket-remove.ts'),
  ),
  listCommand(
    { name: 'client log', group: ROLES, summary: 'Show what clients did on a host' },
    () => import('./commands/client-log.ts'),
  ),
);
