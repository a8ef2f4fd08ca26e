/** `operator add NAME [RECIPIENT]`: grants a user or runner access to a shared store. */

import { defineCommand } from '../../../cli/command.ts';
import { giveAccess } from '../actions/operators.ts';
import { renderAdded } from '../render/operators.ts';

export const command = defineCommand({
  scope: ['changes', 'store'],
  about:
    'RECIPIENT is an SSH public key (ed25519 or rsa), a recipient of age (age1…), or a file with one; without it your own SSH key is taken. On an empty store this makes you its first operator. For an operator who exists, --client gives them a client, and changes nothing else.\nYour private key is looked for in DOCKER_TLS_IDENTITY, ~/.config/docker-tls/identity, ~/.ssh/id_ed25519 and ~/.ssh/id_rsa. A key that only an agent or a security key holds cannot decrypt.',
  examples: [
    'docker-tls --store git+ssh://git@git.example.org/ops/docker-tls.git operator add ada',
    'docker-tls operator add bob "$(cat bob.pub)"',
    'docker-tls operator add ci ci.pub --without-ca',
    'docker-tls operator add ci --client ci',
  ],
  args: {
    name: { summary: 'what colleagues call the operator', required: true },
    recipient: { summary: 'an SSH public key, age1…, or a file with one' },
  },
  options: {
    withoutCa: {
      kind: 'flag',
      summary: 'may look only: status, audit, plan, log; verify and env as the client that --client names',
    },
    client: {
      kind: 'text',
      value: 'NAME',
      summary: "the operator's own client: they can open its key without the CA",
      completes: 'client',
    },
  },
  async run(context) {
    const { name, recipient } = context.args;
    const { withoutCa, client } = context.options;
    const { operator, store } = await giveAccess(context, { name, recipient, ca: !withoutCa, client });
    return renderAdded(operator, { store, dryRun: context.global.dryRun });
  },
});
