/** `rotate client`: new keys and certificates for clients; changes no host. */

import { defineCommand } from '../../cli/command.ts';
import { CA_OPTIONS, DUE_OPTIONS } from '../../cli/host-options.ts';
import { rotateClient } from '../actions/rotate-client.ts';
import { renderRotatedClients } from '../render/clients.ts';

export const command = defineCommand({
  scope: ['fleet', 'changes', 'store'],
  about:
    "The client's own issuing CA stays, so every host goes on accepting it. Docker contexts and directories that hold copies are updated.\nThe old certificate stays valid until it expires: to end it at once, revoke the client.",
  examples: ['docker-tls rotate client laptop', 'docker-tls rotate client --due --yes'],
  args: { clients: { summary: 'clients', many: true, completes: 'client' } },
  options: {
    caPassphraseFile: CA_OPTIONS.caPassphraseFile,
    due: { kind: 'flag', summary: 'those whose renewal is due' },
    all: { kind: 'flag', summary: 'every client whose key is here' },
    ...DUE_OPTIONS,
    days: { kind: 'number', min: 1, max: 36_500, value: 'N', summary: 'lifetime; default: as before' },
  },
  async run(context) {
    return renderRotatedClients(await rotateClient(context, context.args.clients, context.options), context);
  },
});
