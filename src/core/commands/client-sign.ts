/** `client sign`: credentials for a key that stays with its owner. */

import { defineCommand } from '../../cli/command.ts';
import { CA_OPTIONS, CLIENT_OPTIONS, OUT_OPTIONS, STORED_OPTIONS } from '../../cli/host-options.ts';
import { signClient } from '../actions/client-sign.ts';
import { renderSigned } from '../render/signed.ts';

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about:
    "The request comes from `docker-tls client request`, or from openssl. The bundle that comes out holds no key, and only the computer that asked can use it.\nWhat the request says is its sender's word: look at the name, or give one with --name.\nWith --hosts, hosts that would accept it all the same are changed first, as by apply; until that is done no credentials are written.",
  examples: [
    'docker-tls client sign ann.csr --out ann.tar',
    'docker-tls client sign ann.csr --name ann-laptop --days 90 --out ann.tar',
    'docker-tls client sign ann.csr --hosts build-1 --out ann.tar',
  ],
  args: { file: { summary: 'the request (PEM); - is standard input', required: true, completes: 'file' } },
  options: {
    ...OUT_OPTIONS,
    ...CA_OPTIONS,
    ...STORED_OPTIONS,
    name: { kind: 'text', value: 'NAME', summary: 'name of the client; default: as the request says' },
    days: CLIENT_OPTIONS.days,
    hosts: { kind: 'list', value: 'NAME', summary: 'hosts that accept it; default: all', completes: 'host' },
  },
  run: async (context) => renderSigned(await signClient(context, context.args.file, context.options), context),
});
