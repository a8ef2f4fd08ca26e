/** `client add`: credentials for a person or a program, for all hosts or for some. */

import { defineCommand } from '../../cli/command.ts';
import { CLIENT_OPTIONS, STORED_OPTIONS } from '../../cli/host-options.ts';
import { addClients } from '../actions/client-access.ts';
import { renderAdded } from '../render/clients.ts';

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about:
    'Its files are stored in HOME/clients/NAME, a directory that works as DOCKER_CERT_PATH. Without --hosts every host accepts it, with --hosts only those do.\nA host whose list of accepted clients changes is changed, as by apply; a host that accepts every client of the CA has no list.\nA client that is there already keeps its credentials: --hosts changes who accepts it, --days and --key-type count from its next renewal on.',
  examples: ['docker-tls client add ci', 'docker-tls client add ci --hosts build-1,build-2 --days 30'],
  args: { names: { summary: 'names of clients', required: true, many: true } },
  options: {
    ...STORED_OPTIONS,
    hosts: { kind: 'list', value: 'NAME', summary: 'hosts that accept it; default: all', completes: 'host' },
    days: CLIENT_OPTIONS.days,
    keyType: CLIENT_OPTIONS.keyType,
  },
  run: async (context) => {
    const added = await addClients(context, context.args.names, context.options);
    return renderAdded(added, context);
  },
});
