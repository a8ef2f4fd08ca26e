/** `client list`: clients and their hosts. Reads only the store. */

import { defineCommand } from '../../cli/command.ts';
import { listClients } from '../actions/client-list.ts';
import { renderClientList } from '../render/client-list.ts';

export const command = defineCommand({
  scope: ['store'],
  about:
    'HOSTS are those whose trust file accepts the client. Where the records say something else already, a line below tells so.\nKEY says whether the private key is in this store, or on another computer.',
  examples: ['docker-tls client list', 'docker-tls client list --json'],
  args: {},
  options: {},
  run: async (context) => renderClientList(await listClients(context), context),
});
