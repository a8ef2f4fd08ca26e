/** Owns `rollback HOST`: back to the generation before, verified. */

import { defineCommand } from '../command.ts';
import { RETURN_OPTIONS, runReturn } from '../restore.ts';

export const command = defineCommand({
  name: 'rollback',
  summary: 'Back to the generation before, verified',
  about:
    'The host keeps its last generations (--keep). A rollback is a new generation, so it can be taken back as well.\nWhat was asked for when the generation was made (port, addresses, clients, hardening) comes back with it, so that the next run does not undo it. One from before a client was revoked, or a CA dropped, is refused.',
  examples: ['docker-tls rollback build-1', 'docker-tls rollback build-1 --to 3'],
  args: { host: { summary: 'the host', required: true, completes: 'host' } },
  options: {
    ...RETURN_OPTIONS,
    to: { kind: 'number', min: 1, value: 'N', summary: 'this generation instead of the one before' },
    allowRevoked: { kind: 'flag', summary: 'also where a revoked client, or a dropped CA, gets in again' },
  },
  run: (context) => runReturn(context, context.args.host, context.options.to ?? 'previous', context.options),
});
