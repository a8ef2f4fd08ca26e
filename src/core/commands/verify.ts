/** `verify [HOST…]`: verifies over the network which clients a host accepts and rejects. */

import { defineCommand } from '../../cli/command.ts';
import { CLIENT_OPTION, SELECTION_OPTIONS } from '../../cli/host-options.ts';
import { verifyHosts } from '../actions/verify.ts';
import { renderVerified } from '../render/verify.ts';

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'store'],
  about:
    'Connects as your client, without a certificate, with one from an untrusted CA, as the server itself, over plain HTTP and with TLS 1.1. Needs no SSH, except for hosts that were set up with --reach ssh: those are verified through it, and each result says so.',
  examples: ['docker-tls verify', 'docker-tls verify build-1 --client ci'],
  args: { hosts: { summary: 'hosts; default: all', many: true, completes: 'host' } },
  options: {
    ...SELECTION_OPTIONS,
    client: CLIENT_OPTION,
  },
  run: async (context) => renderVerified(await verifyHosts(context, context.args.hosts, context.options), context),
});
