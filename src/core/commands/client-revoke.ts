/** `client revoke`: revokes one client's access on every host, and verifies it. */

import { defineCommand } from '../../cli/command.ts';
import { STORED_OPTIONS } from '../../cli/host-options.ts';
import { revokeClient } from '../actions/client-access.ts';
import { renderRevoked } from '../render/clients.ts';

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about:
    'Every host gets a list of the clients that it still accepts, without this one; no other client needs new files. It is verified by trying the revoked certificate.\nHosts that cannot be reached still accept it: run the same command again when they are back. A host that no other client may use is left as it is, and named.',
  examples: ['docker-tls client revoke eve'],
  args: { name: { summary: 'the client', required: true, completes: 'client' } },
  options: STORED_OPTIONS,
  run: async (context) => {
    const changed = await revokeClient(context, context.args.name, context.options);
    return renderRevoked(changed, context);
  },
});
