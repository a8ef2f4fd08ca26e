/** Owns `rollback HOST`: back to the generation before, verified. */

import { defineCommand } from '../command.ts';
import { RETURN_OPTIONS, runReturn } from '../return.ts';

export const command = defineCommand({
  name: 'rollback',
  summary: 'Back to the generation before, verified',
  about:
    'The host keeps its last generations (--keep). A roll back is a new generation, so it can be taken back as well.',
  examples: ['docker-tls rollback build-1', 'docker-tls rollback build-1 --to 3'],
  args: { host: { summary: 'the host', required: true, completes: 'host' } },
  options: {
    ...RETURN_OPTIONS,
    to: { kind: 'number', min: 1, value: 'N', summary: 'this generation instead of the one before' },
  },
  run: (context) => runReturn(context, context.args.host, context.options.to ?? 'previous', context.options),
});
